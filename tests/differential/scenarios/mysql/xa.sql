-- Transactions in two phases.
create table t (id int primary key, v int);
insert into t values (1, 1);
--@ stream
xa start '${run}'; insert into t values (2, 2); update t set v = 9 where id = 1; xa end '${run}'; xa prepare '${run}'; xa commit '${run}';
xa start '${run}1'; insert into t values (3, 3); xa end '${run}1'; xa commit '${run}1' one phase;
insert into t values (5, 5);
