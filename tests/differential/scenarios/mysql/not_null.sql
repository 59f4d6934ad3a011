-- NULL where none may be, by the side door, and defaults of what is missing.
--@ differs years-of-zero after\.y$
--@ servers mysql
create table t (id int primary key, i int not null, v varchar(5) not null, d decimal(5,2) not null, dt datetime not null, b blob not null, e enum('a','b') not null, y year not null, bi bit(2) not null, j longtext not null);
set sql_mode = '';
insert into t (id) values (1);
--@ stream
set sql_mode = '';
insert into t (id) values (2);
insert into t values (3, 'x', 'too long a text', 12345.678, 'nonsense', 'b', 'z', 'y', 9, 'j');
