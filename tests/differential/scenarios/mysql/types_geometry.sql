-- Shapes of every kind, with and without a reference system.
create table t (id int primary key, g geometry, p point, l linestring, y polygon, mp multipoint, ml multilinestring, my multipolygon, gc geometrycollection, nn point not null);
insert into t values (1, st_geomfromtext('point(1 2)'), st_geomfromtext('point(1.5 -2.5)'), st_geomfromtext('linestring(0 0, 1 1, 2 2)'), st_geomfromtext('polygon((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))'),
  st_geomfromtext('multipoint((0 0), (1 1))'), st_geomfromtext('multilinestring((0 0, 1 1), (2 2, 3 3))'), st_geomfromtext('multipolygon(((0 0, 1 0, 1 1, 0 1, 0 0)), ((5 5, 6 5, 6 6, 5 6, 5 5)))'), st_geomfromtext('geometrycollection(point(1 1), linestring(0 0, 1 1))'), st_geomfromtext('point(0 0)')),
  (2, null, null, null, null, null, null, null, null, st_geomfromtext('point(1e100 -1e-100)'));
insert into t (id, g, p, nn) values (3, st_geomfromtext('point(10 20)', 4326), st_geomfromtext('point(10 20)', 4326), st_geomfromtext('point(3 4)', 3857));
--@ stream
insert into t select id + 10, g, p, l, y, mp, ml, my, gc, nn from t;
update t set g = st_geomfromtext('linestring(0 0, 1 1)') where id = 1;
insert into t (id, g, nn) values (21, st_geomfromtext('geometrycollection(geometrycollection(point(1 1)), polygon((0 0, 1 0, 1 1, 0 0)))'), st_geomfromtext('point(1 1)'));
delete from t where id = 2;
