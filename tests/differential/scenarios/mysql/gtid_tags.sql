-- GTIDs with a tag.
--@ servers 9.7
create table t (id int primary key, v varchar(10));
--@ stream
set gtid_next = 'AUTOMATIC:mine'; insert into t values (1, 'a');
set gtid_next = 'AUTOMATIC'; insert into t values (2, 'b');
--@ stopped
set gtid_next = 'AUTOMATIC:other_tag'; insert into t values (3, 'c');
set gtid_next = 'AUTOMATIC'; insert into t values (4, 'd');
