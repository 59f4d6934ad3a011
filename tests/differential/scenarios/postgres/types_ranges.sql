-- Ranges and arrays of them.
create table t (id serial primary key, i4 int4range, i8 int8range, n numrange, ts tsrange, tz tstzrange, d daterange, i4a int4range[], na numrange[], tsa tsrange[], tza tstzrange[], da daterange[], i8a int8range[]);
insert into t (i4, i8, n, ts, tz, d, i4a, na) values
  ('[1,10]', '(1,10)', '[1.5,2.5)', '[2026-01-01 00:00,2026-01-02 12:30)', '[2026-01-01 00:00+00,)', '[2026-01-01,2026-02-01]', '{"[1,2]",empty}', '{"(,1.5]"}');
--@ stream
insert into t (i4, i8, n, ts, tz, d, i4a, na) values
  ('[1,10]', '(1,10)', '[1.5,2.5)', '[2026-01-01 00:00,2026-01-02 12:30)', '[2026-01-01 00:00+02,)', '[2026-01-01,2026-02-01]', '{"[1,2]",empty}', '{"(,1.5]"}'),
  ('empty', '(,)', '[,5)', '(-infinity,infinity)', 'empty', '[2026-01-01,infinity)', '{}', null);
insert into t (tsa, tza, da, i8a) values ('{"[2026-01-01 00:00,2026-01-02 12:30)"}', '{"[2026-01-01 00:00+00,2026-01-02 12:30+00)"}', '{"[2026-01-01,2026-02-01)"}', '{"[1,5)"}');
