-- Values of a megabyte, and many columns.
create table t (id int primary key, t text, b bytea);
insert into t values (1, repeat('ä', 500000), decode(repeat('00ff', 400000), 'hex'));
do $$ begin execute 'create table wide (id int primary key, ' || (select string_agg('c' || g || ' int', ', ') from generate_series(1, 300) g) || ')'; end $$;
insert into wide (id, c1, c300) values (1, 1, 300);
--@ stream
insert into t values (2, repeat('🦀', 200000), decode(repeat('00ff', 400000), 'hex'));
insert into wide (id, c150) values (2, 150);
update t set b = null;
