-- More than one dimension.
--@ differs nested-arrays payload.after
create table t (id serial primary key, i int[], tx text[]);
--@ stream
insert into t (i, tx) values ('{{1,2},{3,4}}', null);
