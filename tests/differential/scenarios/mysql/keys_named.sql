-- Keys by configuration.
--@ config {"message.key.columns": "${run}.t:a,b;(.*).none:v;${run}.unknown:x"}
create table t (id int primary key, a int, b varchar(10), c int); create table none (v int, w int);
insert into t values (1, 1, 'x', 5); insert into none values (1, 1);
--@ stream
insert into t values (2, 2, 'y', 5); insert into none values (2, 2);
update t set c = 6; update t set a = 9 where id = 1; delete from t where id = 2; update none set w = 5; delete from none;
