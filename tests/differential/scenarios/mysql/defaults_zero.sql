-- Defaults that are no dates.
set sql_mode = '';
create table t (id int primary key, d date not null default '0000-00-00', dt datetime not null default '0000-00-00 00:00:00', ts timestamp not null default '0000-00-00 00:00:00', dn date default '0000-00-00');
insert into t (id) values (1);
--@ stream
set sql_mode = '';
insert into t (id) values (2);
create table born (id int primary key, d date not null default '0000-00-00', ts timestamp not null default 0);
insert into born (id) values (1);
