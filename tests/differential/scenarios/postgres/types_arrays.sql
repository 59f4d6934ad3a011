-- Arrays of all that can be in one, empty, with nulls in them, and of more than one dimension.
create type mood as enum ('sad', 'ok', 'happy');
create table t (
  id serial primary key, i2 int2[], i4 int4[], i8 int8[], o oid[], f4 float4[], f8 float8[], b bool[], c char(3)[], v varchar(5)[], tx text[],
  n numeric[], n52 numeric(5,2)[], d date[], tm time[], ttz timetz[], ts timestamp[], tz timestamptz[], u uuid[], j json[], jb jsonb[], e mood[]);
insert into t (i2, i4, i8, o, f4, f8, b, c, v, tx, n, n52, d, tm, ttz, ts, tz, u, j, jb, e) values
  ('{1,null}', '{1,2}', '{1}', '{1}', '{1.5}', '{1.5,null}', '{t,f,null}', '{a,abc}', '{a}', '{"a b","c\"d",null,"null",""}',
   '{1.10,2}', '{1.10}', '{2026-01-01}', '{12:00}', '{12:00+01}', '{2026-01-01 00:00}', '{2026-01-01 00:00+00}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', array['{"a":1}'::json], array['{"a":1}'::jsonb], '{sad,happy}'),
  ('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (i2, i4, i8, o, f4, f8, b, c, v, tx, n, n52, d, tm, ttz, ts, tz, u, j, jb, e) values
  ('{1,null}', '{1,2}', '{1}', '{1}', '{1.5}', '{1.5,null}', '{t,f,null}', '{a,abc}', '{a}', '{"a b","c\"d",null,"null",""}',
   '{1.10,2}', '{1.10}', '{2026-01-01}', '{12:00}', '{12:00+01}', '{2026-01-01 00:00}', '{2026-01-01 00:00+00}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', array['{"a":1}'::json], array['{"a":1}'::jsonb], '{sad,happy}'),
  ('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
insert into t (i4) values ('[5:6]={7,8}');
