-- Comments in schemas.
--@ variant without {}
--@ variant within {"include.schema.comments": "true"}
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
alter table t modify v varchar(10) comment 'changed';
insert into t values (3, 'c');
alter table t comment = 'other';
create table born (id int primary key comment 'the key', v int comment '') comment 'born';
insert into born values (1, 2);
