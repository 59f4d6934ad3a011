-- Compressed transactions with their marks and statements.
--@ servers mysql
--@ config {"provide.transaction.metadata": "true", "include.query": "true"}
create table t (id int primary key auto_increment, v varchar(1100));
--@ stream
set session binlog_transaction_compression = on; set session binlog_rows_query_log_events = on;
begin; insert into t (v) values (repeat('p', 900)), ('q'); do sleep(1.1); update t set v = concat(v, '!'); commit;
insert into t (v) values (repeat('r', 900));
