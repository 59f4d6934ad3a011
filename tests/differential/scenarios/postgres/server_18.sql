-- What PostgreSQL 18 added: virtual generated columns, published generated columns.
--@ servers 18
create table t (id int primary key, a int, s int generated always as (a * 2) stored, v int generated always as (a * 3) virtual, u uuid default uuidv7());
insert into t (id, a, u) values (1, 5, null);
--@ stream
insert into t (id, a, u) values (2, 6, null);
update t set a = 7;
delete from t;
