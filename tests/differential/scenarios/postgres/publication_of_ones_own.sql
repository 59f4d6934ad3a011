-- A publication with column lists and row filters, made by hand.
--@ config {"publication.autocreate.mode": "disabled", "publication.name": "mine"}
create table t (id int primary key, a text, b text not null);
create table r (id int primary key, v int);
insert into t values (1, 'a', 'b'); insert into r values (1, 5), (2, 50);
create publication mine for table t (id, a), r where (id > 10), differential.marker;
--@ stream
insert into t values (2, 'a', 'b'); insert into r values (5, 50), (15, 50);
update t set a = 'c';
update r set id = 20 where id = 5;
delete from t; delete from r;
