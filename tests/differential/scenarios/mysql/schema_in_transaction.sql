-- What commits by itself.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
begin; insert into t values (3, 'c'); create table implicit (id int primary key); insert into implicit values (1); commit;
begin; insert into t values (4, 'd'); alter table t add column n int; insert into t values (5, 'e', 1); rollback;
set autocommit = 0; insert into t values (6, 'f', 1); insert into implicit values (2); commit; insert into t values (7, 'g', 1); rollback;
