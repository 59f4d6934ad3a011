-- Flat records: ExtractNewRecordState with its ways to show deletes.
--@ variant default {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState"}
--@ variant drop {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "drop"}
--@ variant rewrite {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "rewrite"}
--@ variant rewrite-with-tombstone {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "rewrite-with-tombstone"}
--@ variant delete-to-tombstone {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "delete-to-tombstone"}
--@ variant fields {"transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.add.fields": "op,table,source.schema,db,source.snapshot", "transforms.u.add.headers": "op,source.table", "transforms.u.delete.tombstone.handling.mode": "rewrite"}
--@ variant fields_streamed {"snapshot.mode": "no_data", "transforms": "u", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.add.fields": "op,lsn,source.txId,source.ts_ms,ts_ms,source.sequence,transaction.id", "transforms.u.add.headers": "db"}
create table t (id int primary key, v text, w int not null default 5, x text default 'x');
insert into t values (1, 'a', 1, null);
--@ stream
insert into t values (2, null, 2, null);
update t set v = 'b' where id = 1;
update t set id = 3 where id = 1;
delete from t;
