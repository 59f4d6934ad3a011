-- A transaction with a table that knows none.
create table t (id int primary key, v int); create table m (id int primary key, v int) engine = myisam; create table mem (id int primary key) engine = memory;
--@ stream
insert into m values (1, 1); update m set v = 2; delete from m; insert into mem values (1);
insert into t values (1, 1);
