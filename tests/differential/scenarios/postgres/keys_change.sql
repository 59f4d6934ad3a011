-- A changed primary key is a delete, a tombstone and a create that name each other in headers.
create table one (id int primary key, v text);
create table two (a int, b text, c text, primary key (b, a));
insert into one values (1, 'a'), (2, 'b');
insert into two values (1, 'x', 'c');
--@ stream
update one set id = 10 where id = 1;
update one set id = id + 100, v = 'both';
update one set id = id;
update two set a = 2;
update two set b = 'y', c = null;
update two set c = 'd';
delete from two;
delete from one;
