-- Stops between transactions and rotated binlogs.
create table t (id int primary key, v int);
insert into t values (1, 1);
--@ stream
insert into t values (2, 2);
flush binary logs;
insert into t values (3, 3);
--@ stopped
insert into t values (4, 4); begin; insert into t values (5, 5); update t set v = 0; commit;
flush binary logs; flush binary logs;
delete from t where id = 1;
--@ stopped
--@ then
insert into t values (6, 6);
