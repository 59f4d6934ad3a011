-- The topic of transactions, and the block in each record.
--@ config {"provide.transaction.metadata": "true"}
--@ variant default {}
--@ variant topic {"topic.transaction": "tx", "topic.delimiter": "-"}
--@ variant names {"schema.name.adjustment.mode": "avro_unicode", "transaction.metadata.factory": "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"}
--@ variant without_deletes {"skipped.operations": "d"}
--@ variant filtered {"table.include.list": "public.u"}
--@ variant heartbeats {"heartbeat.interval.ms": "200", "tombstones.on.delete": "false"}
create table t (id int primary key, v text);
create table u (id int primary key);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
begin; insert into t values (3, 'c'); insert into u values (1); insert into t values (4, 'd'); update t set id = 5 where id = 4; delete from u; commit;
begin; insert into t values (9, 'x'); rollback;
begin; savepoint a; insert into t values (10, 'x'); rollback to a; insert into t values (11, 'x'); commit;
begin; create table w (id int); commit;
truncate u;
begin; insert into t select g, g from generate_series(100, 140) g; update t set v = 'y'; commit;
