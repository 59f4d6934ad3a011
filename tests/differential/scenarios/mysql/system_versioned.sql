-- MariaDB's tables with a history.
--@ servers mariadb
create table t (id int primary key, v varchar(20)) with system versioning;
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
update t set v = 'changed' where id = 2;
delete from t where id = 2;
