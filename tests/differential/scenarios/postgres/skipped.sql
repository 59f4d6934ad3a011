-- Operations that are left out.
--@ differs publications-have-all-operations source.sequence$
--@ variant creates {"skipped.operations": "c"}
--@ variant updates {"skipped.operations": "u,t"}
--@ variant deletes {"skipped.operations": "d"}
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
update t set v = 'c';
update t set id = 3 where id = 1;
delete from t;
truncate t;
insert into t values (4, 'd');
