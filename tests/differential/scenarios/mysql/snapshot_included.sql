-- Only some tables are read at the start.
--@ config {"snapshot.include.collection.list": "${run}.a,${run}.c.*"}
create table a (id int primary key); create table b (id int primary key); create table cc (id int primary key);
insert into a values (1); insert into b values (1); insert into cc values (1);
--@ stream
insert into a values (2); insert into b values (2); insert into cc values (2);
