-- Defaults that the server computes.
create table t (id int primary key, i int default (1 + 2), v varchar(40) default (concat('a', 'b')), j json default (json_array()), x varchar(10) not null default (upper('x')));
insert into t (id) values (1);
--@ stream
insert into t (id) values (2);
alter table t add column y int default (3 * 4);
insert into t (id) values (3);
