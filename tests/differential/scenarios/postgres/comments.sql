-- Comments as documentation of fields.
--@ config {"include.schema.comments": "true"}
create table t (id int primary key, v text);
comment on table t is 'a table'; comment on column t.v is 'a column "quoted"';
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
