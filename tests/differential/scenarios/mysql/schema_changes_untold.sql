-- No topic of changes of schemas.
--@ config {"include.schema.changes": "false"}
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a');
--@ stream
alter table t add column w int;
insert into t values (2, 'b', 3);
drop table t;
