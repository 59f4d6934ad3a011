-- The types of the source as parameters of schemas.
--@ variant columns {"column.propagate.source.type": ".*.t.(v|d|u|e|ts)"}
--@ variant types {"datatype.propagate.source.type": ".+.VARCHAR,.+.DECIMAL,.+.ENUM,.+.INT UNSIGNED,.+.BIGINT.*"}
create table t (id bigint unsigned primary key, v varchar(20) not null, d decimal(10,3), u int unsigned, e enum('a','b'), ts timestamp(3) null, b bigint, j json, c char(3));
insert into t (id, v) values (1, 'a');
--@ stream
insert into t (id, v) values (2, 'b');
alter table t modify v varchar(30), modify d decimal(12,4);
insert into t (id, v) values (3, 'c');
