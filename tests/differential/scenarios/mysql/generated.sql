-- Columns that are computed, kept or not, and keys on them. Debezium stops at them on MariaDB.
--@ servers mysql
create table t (id int primary key, a int, b int generated always as (a + 1) stored, c int as (a * 2) virtual, d varchar(20) generated always as (concat('a', a)) stored, unique key (b));
insert into t (id, a) values (1, 10);
--@ stream
insert into t (id, a) values (2, 20);
update t set a = 11 where id = 1;
alter table t add column e int as (a * 3) stored;
insert into t (id, a) values (3, 30);
delete from t where id = 2;
