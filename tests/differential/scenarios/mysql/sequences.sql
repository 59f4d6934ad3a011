-- MariaDB's sequences are tables.
--@ servers mariadb
--@ config {"table.exclude.list": "${run}.s,${run}.more"}
create sequence s start with 5;
create table t (id int primary key default nextval(s), v varchar(20));
insert into t (v) values ('a');
--@ stream
insert into t (v) values ('b'), ('c');
select nextval(s);
create sequence more;
drop sequence more;
insert into t (v) values ('d');
