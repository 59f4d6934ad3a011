-- The topic of transactions, and the block in each record.
--@ differs(mariadb+without_deletes) truncations-in-transactions \.u value\..*transaction
--@ config {"provide.transaction.metadata": "true"}
--@ variant default {}
--@ variant topic {"topic.transaction": "tx", "topic.delimiter": "-"}
--@ variant without_deletes {"skipped.operations": "d"}
--@ variant filtered {"table.include.list": "${run}.u"}
create table t (id int primary key, v varchar(10)); create table u (id int primary key);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
begin; insert into t values (3, 'c'); insert into u values (1); insert into t values (4, 'd'); update t set id = 5 where id = 4; delete from u; commit;
begin; insert into t values (9, 'x'); rollback;
begin; savepoint a; insert into t values (10, 'x'); rollback to a; insert into t values (11, 'x'); commit;
create table w (id int);
truncate u;
