-- A statement in a comment that servers from some version on obey.
--@ servers mysql
create table t (id int primary key, v varchar(10));
--@ stream
/*!50000 alter table t add column versioned int */;
insert into t values (1, 'a', 2);
