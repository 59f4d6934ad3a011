-- Generated columns.
create table t (id int primary key, a int, twice int generated always as (a * 2) stored, v text);
insert into t (id, a, v) values (1, 5, 'x');
--@ stream
insert into t (id, a, v) values (2, 6, 'y');
update t set a = 7;
delete from t;
