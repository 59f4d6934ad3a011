-- Order over commits, savepoints, rollbacks; many changes of one row.
create table t (id int primary key, v int);
--@ stream
begin; insert into t values (1, 1); update t set v = 2; update t set v = 3; delete from t; insert into t values (1, 4); commit;
begin; insert into t values (2, 1); rollback;
begin; insert into t values (3, 1); savepoint s; insert into t values (4, 1); rollback to s; insert into t values (5, 1); release s; commit;
begin; insert into t select g, g from generate_series(100, 160) g; update t set v = -v; commit;
