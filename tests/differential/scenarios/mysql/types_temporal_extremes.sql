-- The limits of dates and times.
--@ differs fractions-of-zero after\.ts6
--@ differs days-that-never-were after\.(dt0|dt6)
--@ differs(isostring) times-beyond-a-day after\.t0
--@ variant default {}
--@ variant microseconds {"time.precision.mode": "microseconds"}
--@ variant isostring {"time.precision.mode": "isostring"}
create table t (id int primary key, d date, t0 time, t6 time(6), dt0 datetime, dt3 datetime(3), dt6 datetime(6), ts timestamp null, ts6 timestamp(6) null);
set time_zone = '+00:00';
insert into t values (1, '1000-01-01', '-838:59:59', '-838:59:59.000000', '1000-01-01 00:00:00', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01', '1970-01-01 00:00:01'),
  (2, '9999-12-31', '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.499999'),
  (3, '1582-10-04', '-00:00:01', '-00:00:00.000001', '1582-10-10 10:00:00', '1582-10-15 00:00:00', '1582-10-14 23:59:59.5', null, null),
  (4, '1900-02-28', '24:00:00', '100:00:00.5', '1969-12-31 23:59:59', '1969-12-31 23:59:59.5', '1969-12-31 23:59:59.5', null, null);
--@ stream
insert into t select id + 10, d, t0, t6, dt0, dt3, dt6, ts, ts6 from t;
insert into t (id, t0, t6) values (21, '-12:30:30', '-12:30:30.25'), (22, '-00:00:00', '-01:00:00.999999');
