-- Tables that are parts of one, in one topic.
--@ variant default {"transforms": "l", "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter", "transforms.l.topic.regex": "(.*)\\.orders_([0-9]+)", "transforms.l.topic.replacement": "$1.orders-all"}
--@ variant without_table {"transforms": "l", "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter", "transforms.l.topic.regex": "(.*)\\.orders_([0-9]+)", "transforms.l.topic.replacement": "$1.orders-all", "transforms.l.key.enforce.uniqueness": "false"}
--@ variant named {"transforms": "l", "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter", "transforms.l.topic.regex": "(.*)\\.orders_([0-9]+)", "transforms.l.topic.replacement": "$1.orders-all", "transforms.l.key.field.name": "shard", "transforms.l.key.field.regex": ".*_([0-9]+)", "transforms.l.key.field.replacement": "$1"}
--@ variant adjusted {"transforms": "l", "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter", "transforms.l.topic.regex": "(.*)\\.orders_([0-9]+)", "transforms.l.topic.replacement": "$1.orders-all", "transforms.l.schema.name.adjustment.mode": "avro"}
--@ variant unwrapped {"transforms": "l,u", "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter", "transforms.l.topic.regex": "(.*)\\.orders_([0-9]+)", "transforms.l.topic.replacement": "$1.orders-all", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.delete.tombstone.handling.mode": "rewrite"}
create table orders_1 (id int primary key, v varchar(20) default 'none');
create table orders_2 (id int primary key, v varchar(20) default 'none');
create table orders_x (id int primary key, v text);
insert into orders_1 values (1, 'a');
insert into orders_x values (1, 'a');
--@ stream
insert into orders_2 values (1, null);
update orders_2 set v = 'b';
update orders_1 set id = 3;
delete from orders_1;
