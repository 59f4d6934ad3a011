-- Tables without a key: creates; updates and deletes with the whole row as identity.
create table plain (a int, b text);
create table whole (a int, b text);
alter table whole replica identity full;
insert into plain values (1, 'a');
insert into whole values (1, 'a');
--@ stream
insert into plain values (2, 'b'), (2, 'b');
insert into whole values (2, 'b'), (2, 'b'), (null, null);
update whole set b = 'c' where a = 2;
delete from whole where a = 1;
delete from whole;
