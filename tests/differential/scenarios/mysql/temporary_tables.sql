-- Tables of one session.
create table t (id int primary key, v int);
--@ stream
create temporary table tmp (id int primary key, v int); insert into tmp values (1, 1), (2, 2); alter table tmp add column w int; insert into t select id, v from tmp; drop temporary table tmp;
create temporary table t (other int); insert into t values (5); drop temporary table t;
insert into t values (3, 3);
