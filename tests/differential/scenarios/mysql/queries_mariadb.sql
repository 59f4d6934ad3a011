-- The statements behind the rows, which MariaDB writes by itself.
--@ servers mariadb
--@ variant with {"include.query": "true"}
--@ variant without {}
create table t (id int primary key, v varchar(20));
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b'), (3, 'c');
begin; update t set v = 'ü🦀' where id = 2; delete from t where id = 3; commit;
set session binlog_annotate_row_events = off;
insert into t values (5, 'untold');
