-- Truncation, told and untold.
--@ variant skipped {}
--@ variant told {"skipped.operations": "none"}
create table t (id int primary key auto_increment, v varchar(10)); create table bare (id int primary key);
insert into t (v) values ('a'), ('b');
--@ stream
truncate table t; truncate bare;
insert into t (v) values ('c');
TRUNCATE `t`;
insert into t (v) values ('d');
