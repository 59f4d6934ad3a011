-- Columns and tables that get another name.
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
--@ then
alter table t rename column v to w;
--@ then
insert into t values (3, 'c');
--@ then
alter table t rename to u;
--@ then
insert into u values (4, 'd');
delete from u;
