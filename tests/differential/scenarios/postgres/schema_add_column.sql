-- Columns that come while the table is streamed, with and without defaults.
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
--@ then
alter table t add column w int;
alter table t add column x text not null default 'x';
--@ then
insert into t values (3, 'c', 1, 'y');
update t set v = 'd' where id = 1;
delete from t where id = 2;
