-- Tables and views, with marks of the first and the last row of each.
create table a (id int primary key); create table b (id int primary key); create table c (id int primary key); create view v as select * from a;
insert into a values (1), (2), (3); insert into c values (1);
--@ stream
insert into b values (1);
