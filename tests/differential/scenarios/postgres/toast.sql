-- Large values that an update does not touch.
create table t (id int primary key, v int, t text, b bytea, j jsonb, a text[], ia int[], tn text not null, x xml);
create table f (like t including all);
alter table f replica identity full;
alter table t alter t set storage external, alter b set storage external, alter j set storage external, alter a set storage external, alter ia set storage external, alter tn set storage external, alter x set storage external;
alter table f alter t set storage external, alter b set storage external, alter j set storage external, alter a set storage external, alter ia set storage external, alter tn set storage external, alter x set storage external;
insert into t select 1, 1, repeat('t', 3000), convert_to(repeat('b', 3000), 'utf8'), to_jsonb(repeat('j', 3000)), array[repeat('a', 3000)], array(select generate_series(1, 1000)), repeat('n', 3000), ('<a>' || repeat('x', 3000) || '</a>')::xml;
insert into f select * from t;
--@ stream
update t set v = 2;
update f set v = 2;
update t set t = 'short', v = 3;
update t set id = 2;
update f set id = 2;
delete from t;
delete from f;
