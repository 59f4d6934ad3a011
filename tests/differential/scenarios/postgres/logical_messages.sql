-- Messages in the log, within transactions and without.
--@ variant all {}
--@ variant included {"message.prefix.include.list": "on.*"}
--@ variant excluded {"message.prefix.exclude.list": "ON.*"}
--@ variant hex {"binary.handling.mode": "hex"}
--@ variant base64 {"binary.handling.mode": "base64"}
--@ variant addresses {"binary.handling.mode": "base64-url-safe", "topic.delimiter": "_"}
--@ variant names {"schema.name.adjustment.mode": "avro_unicode"}
--@ variant heartbeats {"heartbeat.interval.ms": "200", "heartbeat.action.query": "select pg_logical_emit_message(false, 'heartbeat', 'beat')", "message.prefix.exclude.list": "heartbeat"}
--@ variant unwrapped {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState"}
create table t (id int primary key);
insert into t values (0);
--@ stream
select pg_logical_emit_message(false, 'one', 'content');
select pg_logical_emit_message(true, 'two', 'content');
begin; insert into t values (1); select pg_logical_emit_message(true, 'one', 'in'); select pg_logical_emit_message(false, 'one', 'out'); insert into t values (2); commit;
select pg_logical_emit_message(true, '', '\x00fffefbff'::bytea);
select pg_logical_emit_message(false, 'ünï"code\', '');
begin; select pg_logical_emit_message(true, 'two', 'lost'); select pg_logical_emit_message(false, 'two', 'kept'); rollback;
select pg_logical_emit_message(false, 'long', repeat('x', 100000));
insert into t values (3);
