-- Columns that go, and come back with another type.
create table t (id int primary key, v text, w int, x text not null);
insert into t values (1, 'a', 1, 'x');
--@ stream
insert into t values (2, 'b', 2, 'x');
--@ then
alter table t drop column v;
--@ then
insert into t values (3, 3, 'x');
--@ then
alter table t add column v bigint;
--@ then
insert into t values (4, 4, 'x', 44);
delete from t;
