-- The same when only the table itself is captured.
--@ config {"table.include.list": "${run}.t"}
create table t (id int primary key auto_increment, v varchar(10));
insert into t (v) values ('a'), ('b');
--@ stream
create table _t_gho like t;
alter table _t_gho add column w int not null default 5;
insert into _t_gho (id, v) select id, v from t;
rename table t to _t_del, _t_gho to t;
insert into t (v, w) values ('after', 9);
drop table _t_del;
update t set w = 6 where id = 1;
