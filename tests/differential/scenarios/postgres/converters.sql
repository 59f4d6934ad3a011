-- Options of the JSON converter.
--@ variant numeric {"value.converter.decimal.format": "NUMERIC", "key.converter.decimal.format": "NUMERIC"}
--@ variant no_default {"value.converter.replace.null.with.default": "false"}
--@ variant string_key {"key.converter": "org.apache.kafka.connect.storage.StringConverter"}
create table t (id numeric(5,2) primary key, n numeric(10,3), v text default 'x', w int default 5);
insert into t values (1, 1.5, null, null), (2.50, -0.001, 'a', 1);
--@ stream
insert into t values (3, 1.5, null, null), (4.50, 100, 'a', 1);
update t set id = 9.99 where id = 3;
delete from t;
