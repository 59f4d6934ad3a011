-- Order of tables and rows, marks of first and last, empty tables.
--@ differs rows-of-snapshots-in-the-order-of-keys \.C 
create table b (id int primary key); create table a (id int primary key); create table "C" (id int primary key); create table empty (id int primary key); create table zz_two (id int primary key);
create schema aaa; create table aaa.z (id int primary key); create table aaa.empty (id int);
insert into b select generate_series(1, 5); insert into a values (1); insert into "C" values (2), (1); insert into zz_two values (1), (2); insert into aaa.z values (1), (2), (3);
--@ stream
insert into empty values (1);
