-- Prepared transactions that stay open while the connectors are stopped: prepared before, meanwhile and afterwards.
--@ variant default {}
--@ variant told {"provide.transaction.metadata": "true"}
create table t (id int primary key, v text);
create table u (id int primary key, v text);
--@ stream
begin; insert into t values (1, 'a'), (2, 'a'); insert into u values (1, 'a'); prepare transaction '${run}_a';
begin; insert into t values (3, 'b'), (4, 'b'); prepare transaction '${run}_b';
begin; insert into t values (5, 'c'); savepoint one; insert into t values (6, 'c'); rollback to one;
insert into t values (7, 'c'); prepare transaction '${run}_c';
begin; insert into t values (8, 'd'), (9, 'd'); prepare transaction '${run}_d';
insert into t values (10, 'e');
--@ stopped
insert into t values (11, 'e'), (12, 'e');
commit prepared '${run}_a';
rollback prepared '${run}_b';
begin; insert into t values (13, 'f'); update t set v = 'f' where id = 11; prepare transaction '${run}_f';
update t set v = 'g' where id in (1, 2);
--@ then
begin; update u set v = 'h'; insert into u values (2, 'h'); commit;
commit prepared '${run}_c';
--@ stopped
commit prepared '${run}_f';
begin; insert into u values (3, 'i'); delete from t where id = 12; prepare transaction '${run}_i';
--@ then
rollback prepared '${run}_i';
commit prepared '${run}_d';
delete from t where id in (8, 13);
