-- Columns that go.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
alter table t drop column v;
insert into t values (3);
update t set id = 30 where id = 1;
alter table t add column w int, add column x int;
insert into t values (4, 1, 2);
alter table t drop w, add column y int first;
insert into t values (5, 6, 7);
