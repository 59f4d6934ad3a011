-- Tables, views and databases that come and go.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
create table born (id int primary key, v varchar(10) not null) engine = innodb;
insert into born values (1, 'a');
create table if not exists born (id int);
create table alike like born; insert into alike values (1, 'a');
drop table born; create table born (other bigint primary key, w text);
insert into born values (1, 'x');
drop table if exists alike, nothing;
create or replace view w as select * from t;
drop view w;
create table `quoted ``name` (`a``b` int primary key, `select` int); insert into `quoted ``name` values (1, 2);
drop table t;
create table t (id int primary key);
insert into t values (1);
