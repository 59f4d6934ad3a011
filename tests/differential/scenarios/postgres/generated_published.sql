-- Generated columns that the publication sends.
--@ servers 18
--@ config {"publication.autocreate.mode": "disabled", "publication.name": "mine"}
create table t (id int primary key, a int, s int generated always as (a * 2) stored);
insert into t (id, a) values (1, 5);
create publication mine for table t, differential.marker with (publish_generated_columns = stored);
--@ stream
insert into t (id, a) values (2, 6);
update t set a = 7;
delete from t;
