-- Operations left out.
--@ variant creates {"skipped.operations": "c"}
--@ variant updates {"skipped.operations": "u"}
--@ variant deletes {"skipped.operations": "d,t"}
--@ variant none {"skipped.operations": "none"}
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
insert into t values (3, 'c'); update t set v = 'x' where id = 1; delete from t where id = 2; update t set id = 9 where id = 3; truncate t; insert into t values (4, 'd');
