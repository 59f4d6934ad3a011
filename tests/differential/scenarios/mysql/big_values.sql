-- Values larger than a packet of 16 MB would like, and events of many rows.
create table t (id int primary key, v longtext, b longblob);
insert into t values (1, repeat('v', 1000000), repeat('b', 1000000));
--@ stream
insert into t values (2, repeat('w', 3000000), repeat(0xff, 1000000));
update t set v = concat(v, '!');
insert into t with recursive s(n) as (select 10 union all select n + 1 from s where n < 700) select n, repeat('r', 500), null from s;
