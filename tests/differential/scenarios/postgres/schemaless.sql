-- JSON without schemas.
--@ config {"key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false"}
create table t (id int primary key, n numeric(5,2), v numeric, b bytea, d date, a int[], p point, t text default 'x', ts timestamptz, f double precision);
insert into t values (1, 1.5, 2.25, '\x00ff', '2026-01-01', '{1,null}', '(1,2)', null, '2026-01-01', 'NaN'), (2, null, null, null, null, null, null, null, null, 'Infinity');
--@ stream
insert into t values (3, 1.5, 2.25, '\x00ff', '2026-01-01', '{1,null}', '(1,2)', null, '2026-01-01', '-Infinity'), (4, null, null, null, null, null, null, null, null, null);
update t set id = 5 where id = 3;
delete from t;
