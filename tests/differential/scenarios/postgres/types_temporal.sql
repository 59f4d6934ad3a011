-- Dates and times of every precision, far away, infinite and at the turn of the day.
--@ variant adaptive {}
--@ variant adaptive_time_microseconds {"time.precision.mode": "adaptive_time_microseconds"}
--@ variant connect {"time.precision.mode": "connect"}
--@ variant isostring {"time.precision.mode": "isostring"}
--@ variant microseconds {"time.precision.mode": "microseconds"}
--@ variant nanoseconds {"time.precision.mode": "nanoseconds"}
create table t (
  id serial primary key, d date, t0 time(0), t1 time(1), t3 time(3), t4 time(4), t6 time(6), t time,
  ts0 timestamp(0), ts2 timestamp(2), ts3 timestamp(3), ts4 timestamp(4), ts6 timestamp(6), ts timestamp,
  tz timestamptz, tz0 timestamptz(0), tz3 timestamptz(3), ttz timetz, ttz0 timetz(0), ttz3 timetz(3));
insert into t (d, t0, t1, t3, t4, t6, t, ts0, ts2, ts3, ts4, ts6, ts, tz, tz0, tz3, ttz, ttz0, ttz3)
select '2026-11-23', v, v, v, v, v, v, x, x, x, x, x, x, x at time zone 'utc', x at time zone 'utc', x at time zone 'utc', v at time zone 'utc', v at time zone 'utc', v at time zone 'utc'
from (values ('13:37:42.123456'::time, '2026-11-23 13:37:42.123456'::timestamp), ('00:00', '1970-01-01 00:00:00'), ('23:59:59.999999', '1969-12-31 23:59:59.999999'), ('00:00:00.1', '2024-02-29 00:00:00.1'), ('12:00:00', '2000-01-01 12:00:00')) as r(v, x);
--@ stream
insert into t (d, t0, t1, t3, t4, t6, t, ts0, ts2, ts3, ts4, ts6, ts, tz, tz0, tz3, ttz, ttz0, ttz3)
select '2026-11-23', v, v, v, v, v, v, x, x, x, x, x, x, x at time zone 'utc', x at time zone 'utc', x at time zone 'utc', v at time zone 'utc', v at time zone 'utc', v at time zone 'utc'
from (values ('13:37:42.123456'::time, '2026-11-23 13:37:42.123456'::timestamp), ('00:00', '1970-01-01 00:00:00'), ('23:59:59.999999', '1969-12-31 23:59:59.999999'), ('00:00:00.1', '2024-02-29 00:00:00.1'), ('12:00:00', '2000-01-01 12:00:00')) as r(v, x);
insert into t (d, ts) values ('0001-01-01', '0001-01-01 00:00:00'), ('1582-10-04', '1582-10-15 12:00:00'), ('9999-12-31', '2200-01-01 00:00:00.000001');
insert into t (tz) values ('2026-11-23 13:37:42.5+05:30'), ('2026-11-23 13:37:42-08'), ('1900-01-01 00:00:00+00'), ('2026-06-23 13:37:42.120+02');
insert into t (ttz) values ('13:37:42.5+05:30'), ('01:00+02'), ('23:00-02'), ('12:00:00.000001+00'), ('12:00:00.10+00');
insert into t (t) values ('24:00');
