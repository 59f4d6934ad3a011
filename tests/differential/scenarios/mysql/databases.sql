-- Statements about other databases, and tables of theirs.
--@ differs(mariadb) widths-of-looked-up-tables columns\..*\.length
create table t (id int primary key);
insert into t values (1);
--@ stream
create database if not exists ${run}_x; create table ${run}_x.t (id int primary key); insert into ${run}_x.t values (1); alter table ${run}_x.t add column v int;
begin; insert into t values (2); insert into ${run}_x.t values (2, 2); commit;
alter table ${run}_x.t rename to t2; insert into t2 values (3, 3);
use ${run}_x;
create table own (id int primary key); insert into own values (1); insert into ${run}.t values (3);
alter table ${run}.t add column w int; insert into ${run}.t values (4, 4);
drop database ${run}_x;
use ${run};
alter database ${run} character set utf8mb4;
insert into t values (5, 5);
