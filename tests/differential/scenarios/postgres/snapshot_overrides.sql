-- A table read with a statement of one's own.
--@ config {"snapshot.select.statement.overrides": "public.t", "snapshot.select.statement.overrides.public.t": "select * from public.t where id > 1 order by id desc"}
create table t (id int primary key, v text);
insert into t values (1, 'a'), (2, 'b'), (3, 'c');
--@ stream
insert into t values (4, 'd');
