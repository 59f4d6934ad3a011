-- Structure and rows changed in one transaction.
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
begin;
insert into t values (2, 'b');
alter table t add column w int default 5;
insert into t values (3, 'c', 1);
update t set w = 6 where id = 1;
commit;
begin;
create table fresh (id int primary key, v text default 'x');
insert into fresh values (1);
commit;
