-- PostGIS: geometries and geographies, with and without reference systems and further dimensions, and arrays of them.
--@ needs extensions
create extension postgis;
create table t (id serial primary key, g geometry, p geometry(Point, 4326), z geometry(LineStringZ), gg geography, gp geography(Polygon), gn geometry not null default 'POINT(7 8)', ggn geography(Point) not null default 'POINT(7 8)', ag geometry[], agg geography[], b box2d, v int);
insert into t (g, p, z, gg, gp, ag, agg, b, v) values ('POINT(1 2)', 'SRID=4326;POINT(1.5 -2.5)', 'LINESTRING Z (1 2 3, 4 5 6)', 'POINT(-110 30)', 'POLYGON((0 0, 0 1, 1 1, 0 0))', array['POINT(1 2)'::geometry, null, 'SRID=3857;POINT(3 4)'], array['POINT(1 2)'::geography], 'BOX(1 2,3 4)', 1);
--@ stream
insert into t (g, p, z, gg, gp, ag, agg, b, v) values ('POINT(1 2)', 'SRID=4326;POINT(1.5 -2.5)', 'LINESTRING Z (1 2 3, 4 5 6)', 'POINT(-110 30)', 'POLYGON((0 0, 0 1, 1 1, 0 0))', array['POINT(1 2)'::geometry, null, 'SRID=3857;POINT(3 4)'], array['POINT(1 2)'::geography], 'BOX(1 2,3 4)', 1);
insert into t (g, gg, ag, agg) values ('GEOMETRYCOLLECTION EMPTY', 'SRID=4267;POINT EMPTY', '{}', '{}'), ('MULTIPOLYGON M (((0 0 1, 0 1 2, 1 1 3, 0 0 1)))', null, null, null);
update t set v = 2;
delete from t where id = 1;
