-- Strategies that name topics in other ways, with names that topics must not have.
--@ variant default {"topic.naming.strategy": "io.debezium.schema.DefaultTopicNamingStrategy"}
--@ variant schema_unicode {"topic.naming.strategy": "io.debezium.schema.SchemaUnicodeTopicNamingStrategy", "provide.transaction.metadata": "true"}
--@ variant default_unicode {"topic.naming.strategy": "io.debezium.schema.DefaultUnicodeTopicNamingStrategy", "schema.name.adjustment.mode": "avro_unicode"}
--@ variant schema_regex {"topic.naming.strategy": "io.debezium.schema.SchemaRegexTopicNamingStrategy", "topic.regex": "(.*)public\\.shard_[0-9]+", "topic.replacement": "$1shards"}
--@ variant default_regex {"topic.naming.strategy": "io.debezium.schema.DefaultRegexTopicNamingStrategy", "topic.regex": "(.*)shard_[0-9]+", "topic.replacement": "$1shards", "topic.key.field.name": "shard", "topic.key.field.regex": ".*shard_([0-9]+)", "topic.key.field.replacement": "$1"}
--@ variant not_unique {"topic.naming.strategy": "io.debezium.schema.SchemaRegexTopicNamingStrategy", "topic.regex": "(.*)\\.shard_[0-9]+", "topic.replacement": "$1.shards", "topic.key.enforce.uniqueness": "false"}
create table shard_1 (id int primary key, v text);
create table "tablé_x y" (id int primary key, v text);
create table no_key (v text);
insert into shard_1 values (1, 'a');
insert into "tablé_x y" values (1, 'a');
insert into no_key values ('a');
--@ stream
insert into shard_1 values (2, 'b');
update shard_1 set id = 3 where id = 2;
insert into "tablé_x y" values (2, 'b');
insert into no_key values ('b');
delete from shard_1 where id = 1;
