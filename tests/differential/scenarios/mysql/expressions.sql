-- Expressions in Groovy, the same text on both sides. Not on MariaDB, whose Debezium stands apart from the jars of Groovy.
--@ servers mysql
--@ variant operations {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "value.op == 'u' || value.op == 'd' && value.before.id == 1"}
--@ variant rows {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "value.after?.v != null && value.after.v.startsWith('a') && value.after.n >= 10"}
--@ variant source {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "value.source.table == 't' && !(value.op in ['r', 'd']) && value.source.get('db').equals('${run}')"}
--@ variant drops_nulls {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "value.before == null", "transforms.f.null.handling.mode": "drop"}
--@ variant evaluates_nulls {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "value == null || value.op != 'c'", "transforms.f.null.handling.mode": "evaluate"}
--@ variant patterns {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.Filter", "transforms.f.condition": "topic.matches('.*t') && (value.after?.v ==~ /[a-c].*/ || value.op == 'd')"}
--@ variant routes {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.ContentBasedRouter", "transforms.f.topic.expression": "value.op == 'd' ? '${run}.deletes' : (value.after.n > 10 ? '${run}.large' : null)"}
--@ variant routes_by_text {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.ContentBasedRouter", "transforms.f.topic.expression": "topic + '_' + value.source.table + '_' + value.op"}
--@ variant routes_by_numbers {"transforms": "f", "transforms.f.language": "jsr223.groovy", "transforms.f.topic.regex": ".*\\.t", "transforms.f.type": "io.debezium.transforms.ContentBasedRouter", "transforms.f.topic.expression": "value == null ? null : '${run}.n' + (value.after ?: value.before).id % 2", "transforms.f.null.handling.mode": "evaluate"}
create table t (id int primary key, v varchar(20), n numeric(6,2) not null default 5);
create table u (id int primary key);
insert into t values (1, 'a', 10), (2, 'b', 20.5);
insert into u values (1);
--@ stream
insert into t values (3, 'ab', 30), (4, null, 4);
update t set v = 'c' where id = 1;
update t set id = 5 where id = 2;
delete from t where id = 1;
insert into u values (2);
