-- Arrays that Debezium leaves out.
create table t (id serial primary key, m money[], n name[], i interval[], vb varbit[], x xml[], p point[], v int);
insert into t (m, n, i, vb, x, p, v) values ('{1}', '{n}', '{1 day}', '{101}', '{<a/>}', '{"(1,2)"}', 1);
--@ stream
insert into t (m, n, i, vb, x, p, v) values ('{1}', '{n}', '{1 day}', '{101}', '{<a/>}', '{"(1,2)"}', 2);
