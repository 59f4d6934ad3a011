-- Geometries with their coordinates swapped, and with their SRID put in.
--@ variant swapped {"transforms": "g", "transforms.g.type": "io.debezium.transforms.SwapGeometryCoordinates"}
--@ variant extended {"transforms": "g", "transforms.g.type": "io.debezium.transforms.GeometryFormatTransformer"}
create table t (id int primary key, g geometry, p point, gc geometrycollection);
insert into t values (1, st_geomfromtext('point(1 2)', 4326), st_geomfromtext('point(1.5 -2.5)', 3857), st_geomfromtext('geometrycollection(point(1 1), linestring(0 0, 1 2))', 4326));
--@ stream
insert into t (id, g) values (2, st_geomfromtext('polygon((0 0, 4 0, 4 5, 0 5, 0 0), (1 1, 2 1, 2 3, 1 3, 1 1))', 4326)), (3, st_geomfromtext('multipoint((0 9), (1 8))', 3857));
update t set g = st_geomfromtext('multilinestring((0 0, 1 2), (2 3, 3 4))', 4326) where id = 1;
delete from t where id = 2;
