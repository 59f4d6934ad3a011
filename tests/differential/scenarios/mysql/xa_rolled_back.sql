-- Two phases of which the second says no: the binlog has the rows.
create table t (id int primary key, v int);
--@ stream
xa start '${run}'; insert into t values (4, 4); xa end '${run}'; xa prepare '${run}'; xa rollback '${run}';
insert into t values (5, 5);
