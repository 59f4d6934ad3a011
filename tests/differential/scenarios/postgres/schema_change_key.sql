-- A table gets another primary key, and loses it.
create table t (id int primary key, a int not null, v text);
insert into t values (1, 1, 'a');
--@ stream
insert into t values (2, 2, 'b');
--@ then
alter table t drop constraint t_pkey, add primary key (a);
alter table t add column w int;
--@ then
insert into t values (3, 3, 'c', 1);
update t set v = 'x' where id = 1;
--@ then
alter table t drop constraint t_pkey;
alter table t drop column w;
--@ then
insert into t values (4, 4, 'd');
