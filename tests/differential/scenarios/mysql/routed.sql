-- Names of topics by other strategies.
--@ variant delimiter {"topic.delimiter": "_"}
--@ variant unicode {"topic.naming.strategy": "io.debezium.schema.DefaultUnicodeTopicNamingStrategy"}
--@ variant regex {"topic.naming.strategy": "io.debezium.schema.DefaultRegexTopicNamingStrategy", "topic.regex": "(.*)part_(.*)", "topic.replacement": "$1parts"}
--@ variant plain {"topic.naming.strategy": "io.debezium.schema.DefaultTopicNamingStrategy"}
create table part_a (id int primary key, v int); create table part_b (id int primary key, v int); create table other (id int primary key);
insert into part_a values (1, 1); insert into part_b values (1, 1); insert into other values (1);
--@ stream
insert into part_a values (2, 1); insert into part_b values (2, 1); insert into other values (2); delete from part_a; update part_b set id = 9 where id = 1;
