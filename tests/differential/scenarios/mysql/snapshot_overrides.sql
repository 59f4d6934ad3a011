-- Queries of one's own.
--@ config {"snapshot.select.statement.overrides": "${run}.a,${run}.b", "snapshot.select.statement.overrides.${run}.a": "select * from ${run}.a where id > 1 order by id desc", "snapshot.select.statement.overrides.${run}.b": "select * from ${run}.b where v is null"}
create table a (id int primary key, v int); create table b (id int primary key, v int); create table c (id int primary key);
insert into a values (1, 1), (2, 2), (3, 3); insert into b values (1, null), (2, 1); insert into c values (1);
--@ stream
insert into a values (4, 4);
