-- Keys that come, go and change.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
alter table t drop primary key, add primary key (v);
insert into t values (3, 'c');
update t set v = 'changed' where id = 3;
alter table t drop primary key;
insert into t values (4, 'd');
alter table t add unique key u (id);
insert into t values (5, 'e');
alter table t drop index u, add primary key (id, v);
insert into t values (6, 'f');
create unique index more on t (id);
insert into t values (7, 'g');
drop index more on t;
insert into t values (8, 'h');
