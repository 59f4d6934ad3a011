-- Logical messages in transactions that are told of, and between them.
--@ differs messages-in-transactions message value.payload.transaction.data_collection_order$
--@ differs messages-in-transactions transaction value.payload.data_collections
--@ config {"provide.transaction.metadata": "true"}
create table t (id int primary key);
--@ stream
begin; insert into t values (1); select pg_logical_emit_message(true, 'a', '1'); select pg_logical_emit_message(false, 'a', 'between'); insert into t values (2); select pg_logical_emit_message(true, 'a', '2'); commit;
select pg_logical_emit_message(false, 'b', 'between');
select pg_logical_emit_message(true, 'b', 'alone');
insert into t values (3);
