-- More rows than one batch of either side.
create table t (id int primary key, v text, n numeric(10,2), ts timestamptz);
insert into t select g, 'row ' || g, g / 100.0, '2026-01-01'::timestamptz + g * interval '1 second' from generate_series(1, 5000) g;
--@ stream
insert into t select g, 'row ' || g, g / 100.0, '2026-01-01'::timestamptz + g * interval '1 second' from generate_series(5001, 10000) g;
update t set v = v || '!' where id % 3 = 0;
delete from t where id % 2 = 0;
