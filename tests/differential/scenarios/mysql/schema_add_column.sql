-- Columns that are added, at the end and elsewhere.
--@ differs(mariadb) json-of-statements after\.if_new
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
alter table t add column n int not null default 7;
insert into t values (3, 'c', 1);
alter table t add (x varchar(5), y decimal(5,2) default 1.25), add z int first, add w int after v;
insert into t values (1, 4, 'd', 2, 3, 'x', 4.5);
update t set v = 'changed' where id = 1;
alter table t add column if_new json, algorithm = instant;
insert into t (id, if_new) values (5, '[]');
delete from t where id = 1;
