-- Transactions prepared and committed later, or not.
create table t (id int primary key, v int);
--@ stream
begin; insert into t values (1, 1); prepare transaction '${run}_a';
insert into t values (2, 2);
commit prepared '${run}_a';
begin; insert into t values (3, 1); prepare transaction '${run}_b';
rollback prepared '${run}_b';
insert into t values (4, 4);
