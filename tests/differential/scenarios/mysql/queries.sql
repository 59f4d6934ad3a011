-- The statements behind the rows.
--@ servers mysql
--@ variant with {"include.query": "true"}
--@ variant without {}
create table t (id int primary key, v varchar(20));
insert into t values (1, 'a');
--@ stream
set session binlog_rows_query_log_events = on;
insert into t values (2, 'b'), (3, 'c');
begin; update t set v = 'ü🦀' where id = 2; delete from t where id = 3; commit;
insert /* a comment */ into t (id, v)   values (4, 'it''s');
set session binlog_rows_query_log_events = off;
insert into t values (5, 'untold');
