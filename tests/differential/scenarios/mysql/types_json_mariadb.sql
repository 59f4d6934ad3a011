-- MariaDB's JSON is a text with a check.
--@ differs json-of-statements born .*after\.j$
--@ servers mariadb
create table t (id int primary key, j json, n json not null default '{}', c longtext check (json_valid(c)));
insert into t values (1, '{"a": 1,   "b": [1, 2]}', '{}', '[]'), (2, null, 'null', '1');
--@ stream
insert into t values (11, '{"a": 1,   "b": [1, 2]}', '{}', '[]'), (12, null, 'null', '1'), (13, '"🦀"', '1.0', null);
update t set j = json_set(j, '$.a', 2) where id = 1;
create table born (id int primary key, j json);
insert into born values (1, '[ ]');
