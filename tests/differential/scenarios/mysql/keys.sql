-- Tables with every kind of key.
create table none (v int, w varchar(10)); create table uniq (a int not null unique, b varchar(10)); create table nullable (a int unique, b varchar(10));
create table two (a int not null, b int not null, c int, unique key k1 (b, a)); create table several (a int not null, b int not null, c int not null, unique key z (c), unique key y (b));
create table composite (a int, b varchar(20), c int, v int, primary key (c, a)); create table texts (k varchar(20) collate utf8mb4_bin primary key, v int); create table prefix (b varchar(200), v int, primary key (b(10)));
create table partly (a int not null, b int, unique key k (a, b));
insert into none values (1, 'a'); insert into uniq values (1, 'a'); insert into nullable values (1, 'a'), (null, 'b'); insert into two values (1, 2, 3); insert into several values (1, 2, 3); insert into composite values (1, 'b', 3, 4); insert into texts values ('Ä', 1); insert into prefix values ('key', 1); insert into partly values (1, null);
--@ stream
insert into none values (2, 'b'); insert into uniq values (2, 'b'); insert into nullable values (2, 'a'), (null, 'c'); insert into two values (4, 5, 6); insert into several values (4, 5, 6); insert into composite values (5, 'b', 6, 7); insert into texts values ('ä', 2); insert into prefix values ('other', 2); insert into partly values (2, 2);
update none set w = 'c' where v = 1; delete from none where v = 2; update nullable set b = 'x'; update two set c = 0; delete from several; update partly set b = 5 where a = 1;
create table born_unique (x varchar(5), y int not null, unique (y)); insert into born_unique values ('a', 1);
create table born_inline (x int key, y int unique); insert into born_inline values (1, 2);
