-- Source types in the parameters of schemas.
--@ variant columns {"column.propagate.source.type": "public.t.*"}
--@ variant types {"datatype.propagate.source.type": ".+\\.varchar,.*numeric,public.t._int4,.*\\.mood"}
--@ variant both {"column.propagate.source.type": "public.t.(id|v|Name)", "datatype.propagate.source.type": ".*\\.text,.*\\.varchar", "field.name.adjustment.mode": "avro"}
--@ variant modes {"column.propagate.source.type": ".*", "decimal.handling.mode": "string", "time.precision.mode": "connect", "binary.handling.mode": "hex", "hstore.handling.mode": "map", "include.unknown.datatypes": "true"}
--@ variant masked {"column.propagate.source.type": ".*", "column.mask.with.3.chars": "public.t.v", "column.truncate.to.2.chars": "public.t.x"}
create extension hstore; create extension citext; create extension ltree;
create type mood as enum ('sad', 'ok'); create domain short as varchar(7); create domain price as numeric(8,3); create domain plain as text;
create table t (id int primary key, v varchar(20), x text, n numeric(5,2), u numeric, n0 numeric(6), a int[], av varchar(5)[], an numeric(4,1)[], ts timestamp(3), ts6 timestamp, tz timestamptz(2), ti time(1), tt timetz,
 c char(5), c1 char, b bool, s smallint, l bigint, r real, d double precision, m money, j json, jb jsonb, uu uuid, by bytea, bi bit(7), b1 bit, vb varbit(9), vu varbit, da date, iv interval, iv3 interval(3), ivd interval day to second(2),
 e mood, ea mood[], sh short, pr price, pl plain, h hstore, ci citext, lt ltree, p point, ip inet, ma macaddr, ir int4range, nm name, tsv tsvector, xm xml, "Name" serial, "o-i" oid, bs bigserial, vc varchar);
comment on column t.v is 'a comment';
insert into t (id, v, x, n) values (1, 'a', 'b', 1.5);
--@ stream
insert into t (id, v, x, n, u, a, ts, c) values (2, 'a', 'b', 1.5, 2, '{1}', '2026-01-01', 'c');
