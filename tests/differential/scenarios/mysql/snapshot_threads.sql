-- Several connections read.
--@ config {"snapshot.max.threads": "3"}
--@ any order
create table a (id int primary key); create table b (id int primary key); create table c (id int primary key); create table d (id int primary key);
insert into a values (1), (2), (3); insert into b values (1); insert into c values (1), (2);
--@ stream
insert into a values (4); insert into d values (1);
