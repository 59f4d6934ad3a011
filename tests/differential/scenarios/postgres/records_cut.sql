-- Records that are cut until they are small enough.
--@ variant halved {"transforms": "s", "transforms.s.type": "io.debezium.transforms.EnforceRecordSize", "transforms.s.max.bytes": "6000", "transforms.s.min.field.size": "200"}
--@ variant compressed {"transforms": "s", "transforms.s.type": "io.debezium.transforms.EnforceRecordSize", "transforms.s.max.bytes": "6000", "transforms.s.compression.ratio": "0.75"}
create table t (id int primary key, v text, w text, b bytea);
alter table t replica identity full;
create table warm (id int primary key);
--@ stream
insert into warm values (1);
insert into t values (1, repeat('a', 9000), 'short', 'x'), (2, repeat('é', 3000), repeat('b', 4000), decode(repeat('0a', 3000), 'hex')), (3, 'a', 'b', null);
update t set v = repeat('c', 300), w = repeat('d', 30000) where id = 2;
update t set w = 'e' where id = 1;
delete from t where id = 2;
