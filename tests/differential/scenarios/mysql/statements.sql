-- Statements that change rows in other ways than insert, update and delete.
create table t (id int primary key auto_increment, k varchar(10) unique, v int); create table u (id int primary key, k varchar(10), v int);
insert into t (k, v) values ('a', 1), ('b', 2), ('c', 3); insert into u values (1, 'a', 10), (2, 'z', 20);
--@ stream
replace into t (k, v) values ('a', 100), ('new', 5);
insert into t (k, v) values ('b', 7), ('more', 8) on duplicate key update v = v + 1000;
insert ignore into t (k, v) values ('b', 7), ('ignored', 9);
update t join u on t.k = u.k set t.v = u.v, u.v = -1;
delete t, u from t join u on t.k = u.k;
insert into t (k, v) select k, v from u;
update t set v = v; update t set v = 5 where false;
delete from t order by id limit 1;
insert into u (id, k, v) values (50, 'x', 1), (51, 'y', 2), (52, 'z', 3);
