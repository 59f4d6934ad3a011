-- Columns of another type or nullability than before.
create table t (id int primary key, a int, b varchar(5), c numeric(5,2), d text not null, e text);
insert into t values (1, 1, 'b', 1.5, 'd', 'e');
--@ stream
insert into t values (2, 1, 'b', 1.5, 'd', 'e');
--@ then
alter table t alter a type bigint, alter b type varchar(10), alter c type numeric(8,3);
--@ then
insert into t values (3, 1, 'b', 1.5, 'd', 'e');
--@ then
alter table t alter a type text;
alter table t alter d drop not null;
alter table t alter e set not null;
alter table t alter e set default 'x';
--@ then
insert into t values (4, 'text', 'b', 1.5, null, 'e');
delete from t where id = 4;
