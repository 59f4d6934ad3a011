-- MariaDB's compressed columns.
--@ servers mariadb
create table t (id int primary key, v varchar(2000) compressed, x text compressed, b blob compressed, vb varbinary(500) compressed, l longtext compressed default null);
insert into t values (1, repeat('ab', 500), repeat('text', 500), repeat('blob', 500), repeat('x', 300), 'long'), (2, '', '', '', '', ''), (3, null, null, null, null, null), (4, 'short', 'short', 'short', 'short', 'short');
--@ stream
insert into t select id + 10, v, x, b, vb, l from t;
update t set v = repeat('z', 1000) where id = 1;
