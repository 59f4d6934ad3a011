-- Schemas that change while nobody reads.
create table t (id int primary key, v varchar(10)); create table gone (id int primary key);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b'); insert into gone values (1);
--@ stopped
insert into t values (3, 'c');
alter table t add column w int first;
insert into t values (4, 4, 'd'); insert into gone values (2);
alter table t drop column v;
insert into t values (5, 5);
drop table gone;
create table born (id int primary key); insert into born values (1);
rename table t to renamed;
--@ then
insert into renamed values (6, 6); insert into born values (2);
