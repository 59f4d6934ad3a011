-- Messages in the log, within transactions and without.
--@ differs logical-messages (message record|source.sequence)$
--@ variant all {}
--@ variant included {"message.prefix.include.list": "on.*"}
--@ variant excluded {"message.prefix.exclude.list": "on.*"}
--@ variant hex {"binary.handling.mode": "hex"}
create table t (id int primary key);
--@ stream
select pg_logical_emit_message(false, 'one', 'content');
select pg_logical_emit_message(true, 'two', 'content');
begin; insert into t values (1); select pg_logical_emit_message(true, 'one', 'in'); select pg_logical_emit_message(false, 'one', 'out'); insert into t values (2); commit;
select pg_logical_emit_message(true, '', '\x00ff'::bytea);
