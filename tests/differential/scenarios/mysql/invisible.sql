-- Columns that nobody sees.
create table t (id int primary key, v varchar(10), h int invisible default 7);
insert into t (id, v) values (1, 'a');
--@ stream
insert into t (id, v) values (2, 'b'); insert into t (id, v, h) values (3, 'c', 9);
alter table t add column k int invisible;
insert into t (id, v, k) values (4, 'd', 1);
update t set h = 1 where id = 1;
