-- Columns that are left out.
--@ differs(exclude) filtered-key-columns \.t key
--@ variant include {"column.include.list": "${run}.t.(id|v)"}
--@ variant exclude {"column.exclude.list": "${run}.t.(secret|id), ${run}.u.*"}
--@ variant key {"column.exclude.list": "${run}.t.id", "message.key.columns": "${run}.t:v"}
create table t (id int primary key, v varchar(10), secret varchar(10)); create table u (id int primary key, v int);
insert into t values (1, 'a', 's'); insert into u values (1, 1);
--@ stream
insert into t values (2, 'b', 's'); insert into u values (2, 1); update t set secret = 'x'; update t set id = 5 where id = 1; delete from t where id = 2;
alter table t add column more int; insert into t values (9, 'm', 's', 1);
