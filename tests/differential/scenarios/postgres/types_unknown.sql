-- Types that Debezium does not know, left out and included.
--@ variant left_out {}
--@ variant included {"include.unknown.datatypes": "true"}
--@ variant included_hex {"include.unknown.datatypes": "true", "binary.handling.mode": "hex"}
create type pair as (a int, b text);
create table t (id serial primary key, c pair, l pg_lsn, x xid8, r regclass, s tsquery, m int4multirange, t tid, v int);
insert into t (c, l, r, s, m, v) values ('(1,x)', '0/16B3748', 't', 'a & b', '{[1,2),[5,6)}', 1);
--@ stream
insert into t (c, l, r, s, m, v) values ('(1,x)', '0/16B3748', 't', 'a & b', '{[1,2),[5,6)}', 1), (null, null, null, null, null, 2);
