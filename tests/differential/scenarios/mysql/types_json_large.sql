-- Documents of the large binary form: more than 64 kB, many members, long names.
--@ servers mysql
create table t (id int primary key, j json);
insert into t values (0, '{}');
--@ stream
set session group_concat_max_len = 10000000; set session cte_max_recursion_depth = 10000;
insert into t select 1, concat('{', group_concat('"key', n, '": ', n), '}') from (with recursive s(n) as (select 1 union all select n + 1 from s where n < 5000) select n from s) x;
insert into t select 2, concat('[', group_concat('"', repeat('v', n), '"'), ']') from (with recursive s(n) as (select 1 union all select n + 1 from s where n < 500) select n from s) x;
insert into t values (3, json_object(repeat('name', 1000), 1));
