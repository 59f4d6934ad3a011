-- Transactions prepared and committed later, or not.
--@ variant default {}
--@ variant told {"provide.transaction.metadata": "true"}
--@ differs(told) messages-in-transactions transaction value.payload.data_collections
create table t (id int primary key, v int);
create table u (id int primary key);
--@ stream
begin; insert into t values (1, 1); prepare transaction '${run}_a';
insert into t values (2, 2);
commit prepared '${run}_a';
begin; insert into t values (3, 1); prepare transaction '${run}_b';
rollback prepared '${run}_b';
insert into t values (4, 4);
--@ then
begin; savepoint one; insert into t values (5, 5); release one; savepoint two; insert into t values (6, 6); rollback to two;
select pg_logical_emit_message(true, 'in', 'prepared'); select pg_logical_emit_message(false, 'at', 'once');
alter table t add w int; insert into t values (7, 7, 7); prepare transaction '${run}_c';
begin; insert into u values (1); prepare transaction '${run}_d';
commit prepared '${run}_d';
insert into u values (2);
commit prepared '${run}_c';
begin; truncate t; insert into t values (8, 8, 8); prepare transaction '${run}_e';
rollback prepared '${run}_e';
delete from t where id = 7;
