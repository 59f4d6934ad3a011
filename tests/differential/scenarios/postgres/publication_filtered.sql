-- A publication of the filtered tables.
--@ differs tables-of-snapshots-in-the-order-of-names source.snapshot$
--@ config {"publication.autocreate.mode": "filtered", "table.include.list": "public.t"}
create table t (id int primary key, v text);
create table u (id int primary key);
insert into t values (1, 'a'); insert into u values (1);
--@ stream
insert into t values (2, 'b'); insert into u values (2);
delete from t;
