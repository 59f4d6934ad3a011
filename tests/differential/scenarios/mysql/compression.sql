-- Transactions that are compressed in the binlog.
--@ servers mysql
create table t (id int primary key auto_increment, v varchar(1100));
insert into t (v) values ('a');
--@ stream
set session binlog_transaction_compression = on;
insert into t (v) values (repeat('x', 1000)), (repeat('y', 1000)), ('z');
begin; insert into t (v) values (repeat('p', 900)); update t set v = concat(v, '!') where id < 3; delete from t where id = 4; commit;
set session binlog_transaction_compression = off;
insert into t (v) values ('plain');
set session binlog_transaction_compression = on;
create table born (id int primary key); insert into born values (1);
