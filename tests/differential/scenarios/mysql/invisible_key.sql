-- A primary key that the server adds.
--@ servers mysql
set sql_generate_invisible_primary_key = on;
create table t (v varchar(10));
insert into t values ('a');
--@ stream
insert into t values ('b');
update t set v = 'c' where v = 'a';
set sql_generate_invisible_primary_key = on;
create table born (v varchar(10));
insert into born values ('x');
