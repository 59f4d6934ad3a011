-- Tables of another name, and two that change theirs.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
rename table t to renamed;
insert into renamed values (3, 'c');
alter table renamed rename to t;
insert into t values (4, 'd');
create table other (id int primary key, x int);
rename table t to temporary_name, other to t, temporary_name to other;
insert into t values (5, 5); insert into other values (5, 'e');
alter table other rename as again, add column z int;
insert into again values (6, 'f', 1);
