-- Topics renamed, fields taken, replaced, cast and masked.
--@ variant router {"transforms": "r", "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.r.regex": "(.*)\\.public\\.(.*)", "transforms.r.replacement": "$1.routed.$2"}
--@ variant extract {"transforms": "u,k", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.k.type": "org.apache.kafka.connect.transforms.ExtractField$Key", "transforms.k.field": "id"}
--@ variant insert {"transforms": "u,i", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.i.type": "org.apache.kafka.connect.transforms.InsertField$Value", "transforms.i.static.field": "from", "transforms.i.static.value": "here", "transforms.i.topic.field": "topic"}
--@ variant replace {"transforms": "u,f", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "drop", "transforms.f.type": "org.apache.kafka.connect.transforms.ReplaceField$Value", "transforms.f.exclude": "v", "transforms.f.renames": "w:ww"}
--@ variant cast {"transforms": "u,c", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "drop", "transforms.c.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.c.spec": "id:string"}
create table t (id int primary key, v text, w int not null default 5);
insert into t values (1, 'a', 1);
--@ stream
insert into t values (2, null, 2);
update t set v = 'b' where id = 1;
delete from t;
