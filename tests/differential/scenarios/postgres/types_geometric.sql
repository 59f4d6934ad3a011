-- A point is a struct; other shapes are left out, unless asked for.
--@ differs(unknown) text-of-unknown-types payload.after.
--@ variant default {}
--@ variant unknown {"include.unknown.datatypes": "true"}
create table t (id serial primary key, p point, l line, s lseg, b box, pa path, po polygon, c circle, pn point not null default '(1,2)');
insert into t (p, l, s, b, pa, po, c) values ('(1,2)', '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(1,1))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1>');
--@ stream
insert into t (p, l, s, b, pa, po, c) values ('(1,2)', '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(1,1))', '((0,0),(1,1))', '((0,0),(1,1),(2,0))', '<(0,0),1>');
insert into t (p) values ('(-1.5,1e300)'), ('(0.1,1e-300)'), (null);
