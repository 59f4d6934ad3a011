-- Order over commits, savepoints, rollbacks; many changes of one row.
create table t (id int primary key, v int); create table m (id int primary key, v int) engine = myisam;
--@ stream
begin; insert into t values (1, 1); update t set v = 2; update t set v = 3; delete from t; insert into t values (1, 4); commit;
begin; insert into t values (2, 1); rollback;
begin; insert into t values (3, 1); savepoint s; insert into t values (4, 1); rollback to s; insert into t values (5, 1); release savepoint s; commit;
begin; insert into t with recursive s(n) as (select 100 union all select n + 1 from s where n < 400) select n, n from s; update t set v = -v; commit;
insert into m values (1, 1); insert into m values (2, 2); update m set v = 3;
delete from t where id > 300;
