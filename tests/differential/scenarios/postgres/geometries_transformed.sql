-- Geometries with their coordinates swapped, and with their SRID put in or taken out.
--@ needs extensions
--@ variant swapped {"transforms": "g", "transforms.g.type": "io.debezium.transforms.SwapGeometryCoordinates"}
--@ variant swapped_some {"transforms": "g", "transforms.g.type": "io.debezium.transforms.SwapGeometryCoordinates", "transforms.g.srids": "3857, 0"}
--@ variant plain {"transforms": "g", "transforms.g.type": "io.debezium.transforms.GeometryFormatTransformer", "transforms.g.format": "ewkb"}
create extension postgis;
create table t (id int primary key, g geometry, p geometry(Point, 4326), z geometry(LineStringZ, 3857), gg geography, ag geometry[], v int);
insert into t values (1, 'SRID=4326;POINT(1 2)', 'SRID=4326;POINT(1.5 -2.5)', 'SRID=3857;LINESTRING Z (1 2 3, 4 5 6)', 'POINT(-110 30)', array['SRID=3857;POINT(3 4)'::geometry, null], 1);
--@ stream
insert into t values (2, 'SRID=4326;GEOMETRYCOLLECTION(POINT(1 2), POLYGON((0 1, 2 3, 4 5, 0 1)))', null, null, 'POLYGON((0 0, 0 1, 1 1, 0 0))', '{}', 1);
insert into t (id, g) values (3, 'POINT(1 2)'), (4, 'MULTIPOLYGON M (((0 0 1, 0 1 2, 1 1 3, 0 0 1)))'), (5, 'SRID=4269;MULTIPOINT(1 2, 3 4)');
update t set v = 2;
delete from t where id = 1;
