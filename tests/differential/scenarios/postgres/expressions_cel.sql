-- Conditions in Groovy for Debezium, and in CEL for us.
--@ config {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.public\\.t", "transforms.f.type": "io.debezium.transforms.Filter"}
--@ debezium {"transforms.f.condition": "value.op != 'd' && value.after.tags.size() > 1 && value.after.v.length() < 4"}
--@ tidewater {"transforms.f.language": "cel", "transforms.f.condition": "value.op != 'd' && size(value.after.tags) > 1 && size(value.after.v) < 4"}
create table t (id int primary key, v text, tags text[]);
insert into t values (1, 'a', '{x,y}'), (2, 'b', '{x}');
--@ stream
insert into t values (3, 'long enough', '{x,y}'), (4, 'd', '{x,y,z}');
update t set v = 'c' where id = 1;
delete from t where id = 1;
