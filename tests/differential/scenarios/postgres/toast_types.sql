-- The placeholder of every type that can be large.
--@ differs(modes) unavailable-values-as-text payload.after.(b|ba|nu)$
--@ variant default {}
--@ variant own {"unavailable.value.placeholder": "gone"}
--@ variant hex {"unavailable.value.placeholder": "hex:00ff41"}
--@ variant modes {"binary.handling.mode": "base64", "hstore.handling.mode": "map", "decimal.handling.mode": "string"}
create extension hstore; create extension citext; create extension ltree;
create table t (id int primary key, v int, t text, vc varchar, c citext, b bytea, j json, jb jsonb, h hstore, n numeric, a text[], vca varchar[], i2 int2[], i4 int4[], i8 int8[], f8 float8[], u uuid[], d date[], ba bytea[], ts timestamptz[], nu numeric[], bo bool[], tv tsvector, bi bit varying, l ltree);
do $$ declare col text; begin
  for col in select attname from pg_attribute where attrelid = 't'::regclass and attnum > 2 and attstorage <> 'p' loop
    execute format('alter table t alter %I set storage external', col);
  end loop; end $$;
insert into t select 1, 1, repeat('t', 3000), repeat('t', 3000), repeat('t', 3000), convert_to(repeat('b', 3000), 'utf8'), to_json(repeat('j', 3000)), to_jsonb(repeat('j', 3000)), hstore('k', repeat('v', 3000)), repeat('9', 6000)::numeric, array[repeat('a', 3000)], array[repeat('a', 3000)],
  array(select 1::int2 from generate_series(1, 2000)), array(select generate_series(1, 1000)), array(select generate_series(1, 1000)::int8), array(select generate_series(1, 1000)::float8), array(select gen_random_uuid() from generate_series(1, 200)), array(select '2026-01-01'::date from generate_series(1, 1000)),
  array[convert_to(repeat('b', 3000), 'utf8')], array(select '2026-01-01'::timestamptz from generate_series(1, 1000)), array(select 1.5 from generate_series(1, 1000)), array(select true from generate_series(1, 4000)),
  array_to_string(array(select 'word' || g from generate_series(1, 1000) g), ' ')::tsvector, repeat('10', 20000)::varbit, array_to_string(array(select 'label' || g from generate_series(1, 1000) g), '.')::ltree;
--@ stream
update t set v = 2;
