-- Source types in the parameters of schemas.
--@ differs propagated-source-types fields
--@ variant columns {"column.propagate.source.type": "public.t.*"}
--@ variant types {"datatype.propagate.source.type": ".+\\.varchar,.*numeric"}
create table t (id int primary key, v varchar(20), t text, n numeric(5,2), u numeric, a int[], ts timestamp(3), c char(5));
insert into t values (1, 'a', 'b', 1.5, 2, '{1}', '2026-01-01', 'c');
--@ stream
insert into t values (2, 'a', 'b', 1.5, 2, '{1}', '2026-01-01', 'c');
