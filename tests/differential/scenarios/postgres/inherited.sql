-- Inheritance: a parent with rows of its own.
create table parent (id int primary key, v text);
create table child (w int, primary key (id)) inherits (parent);
insert into parent values (1, 'p'); insert into child values (2, 'c', 1);
--@ stream
insert into parent values (3, 'p'); insert into child values (4, 'c', 1);
update parent set v = 'both';
delete from parent;
