-- Without a primary key, a unique index makes the key; which, when there are more.
--@ differs partial-unique-indexes partial key
create table one (a int not null, b text not null, c int);
create unique index one_b on one (b);
create unique index one_a on one (a);
create table nullable (a int unique, b text);
create table partial (a int not null, b text);
create unique index partial_a on partial (a) where a > 5;
create table expression (a text not null, b int);
create unique index expression_a on expression (lower(a));
create table included (a int not null, b int not null);
create unique index included_a on included (a) include (b);
insert into one values (1, 'x', 1); insert into nullable values (1, 'x'), (null, 'y'); insert into partial values (1, 'a'); insert into expression values ('A', 1); insert into included values (1, 2);
--@ stream
insert into one values (2, 'y', 2); insert into nullable values (2, 'x'), (null, 'y'); insert into partial values (10, 'a'); insert into expression values ('B', 1); insert into included values (3, 4);
