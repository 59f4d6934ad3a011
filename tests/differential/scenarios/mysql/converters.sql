-- Debezium's own converters of columns.
--@ variant booleans {"converters": "b", "b.type": "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter"}
--@ variant selected {"converters": "b", "b.type": "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter", "b.selector": ".*.t.flag"}
create table t (id int primary key, flag tinyint(1), other tinyint(1) unsigned, wide tinyint(4), b bool not null default true);
insert into t values (1, 1, 0, 5, false), (2, null, null, null, true), (3, 7, 2, 1, true);
--@ stream
insert into t values (11, 1, 0, 5, false), (12, null, null, null, true), (13, 7, 2, 1, true);
