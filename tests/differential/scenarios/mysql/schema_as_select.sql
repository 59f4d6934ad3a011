-- A table made of a query.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
set session sql_mode = '';
insert into t values (3, 'c');
create table copy (primary key (id)) as select id, v, 1 as one from t;
insert into copy values (9, 'x', 2);
