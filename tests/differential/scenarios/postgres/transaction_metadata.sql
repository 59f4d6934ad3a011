-- The topic of transactions, and the block in each record.
--@ differs transaction-metadata (payload.transaction|record)$
--@ variant default {"provide.transaction.metadata": "true"}
--@ variant topic {"provide.transaction.metadata": "true", "topic.transaction": "tx"}
create table t (id int primary key, v text);
create table u (id int primary key);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
begin; insert into t values (3, 'c'); insert into u values (1); insert into t values (4, 'd'); update t set id = 5 where id = 4; delete from u; commit;
begin; insert into t values (9, 'x'); rollback;
begin; savepoint a; insert into t values (10, 'x'); rollback to a; insert into t values (11, 'x'); commit;
begin; create table w (id int); commit;
