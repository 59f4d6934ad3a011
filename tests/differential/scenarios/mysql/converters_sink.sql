-- Types as a sink with JDBC would have them.
--@ config {"converters": "j", "j.type": "io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter", "j.selector.boolean": ".*.t.(b|f)", "j.selector.real": ".*.t.r", "j.selector.string": ".*.t.(n|v)", "j.treat.real.as.double": "true"}
create table t (id int primary key, b bool, f tinyint(1), r real, n nchar(5), v nvarchar(10));
insert into t values (1, true, 0, 1.5, 'n', 'v'), (2, null, null, null, null, null);
--@ stream
insert into t values (11, true, 0, 1.5, 'n', 'v'), (12, null, null, null, null, null);
