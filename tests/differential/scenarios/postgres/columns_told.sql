-- Events that tell the columns of their table.
--@ config {"transforms": "s", "transforms.s.type": "io.debezium.transforms.ExtractSchemaToNewRecord"}
--@ variant by_type {"datatype.propagate.source.type": ".*"}
--@ variant by_column {"column.propagate.source.type": ".*", "include.schema.comments": "true"}
create table t (id int primary key, v varchar(20), n numeric(8,3) not null default 5, a text[], at timestamp(3));
comment on column t.v is 'a text';
insert into t values (1, 'a', 1.5, '{b}', '2026-01-01');
--@ stream
insert into t values (2, null, 2, null, null);
update t set v = 'b' where id = 2;
delete from t where id = 1;
alter table t add column w bit(5);
insert into t (id, w) values (3, b'10101');
