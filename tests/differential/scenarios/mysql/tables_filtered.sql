-- Tables that are left out, with the statements that change them.
--@ variant include {"table.include.list": "${run}.(a|b_.*)"}
--@ variant exclude {"table.exclude.list": "${run}.a, ${run}.b_1"}
--@ variant captured_ddl {"table.include.list": "${run}.a", "schema.history.internal.store.only.captured.tables.ddl": "true"}
create table a (id int primary key); create table b_1 (id int primary key); create table c (id int primary key);
insert into a values (1); insert into b_1 values (1); insert into c values (1);
--@ stream
insert into a values (2); insert into b_1 values (2); insert into c values (2);
create table b_2 (id int primary key); insert into b_2 values (1);
alter table c add column v int; insert into c values (3, 3);
alter table a add column v int; insert into a values (3, 3);
rename table c to b_3; insert into b_3 values (4, 4);
drop table b_1, b_3;
begin; insert into a values (5, 5); insert into b_2 values (5); commit;
