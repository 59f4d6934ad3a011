-- Dates and times of every precision in every mode.
--@ variant default {}
--@ variant connect {"time.precision.mode": "connect"}
--@ variant microseconds {"time.precision.mode": "microseconds"}
--@ variant nanoseconds {"time.precision.mode": "nanoseconds"}
--@ variant isostring {"time.precision.mode": "isostring"}
create table t (id int primary key, d date, t0 time, t1 time(1), t3 time(3), t6 time(6), dt0 datetime, dt1 datetime(1), dt3 datetime(3), dt4 datetime(4), dt6 datetime(6),
  ts0 timestamp null, ts2 timestamp(2) null, ts3 timestamp(3) null, ts5 timestamp(5) null, ts6 timestamp(6) null);
set time_zone = '+00:00';
insert into t values (1, '2026-02-28', '12:34:56', '12:34:56.7', '12:34:56.789', '12:34:56.789012', '2026-02-28 12:34:56', '2026-02-28 12:34:56.7', '2026-02-28 12:34:56.789', '2026-02-28 12:34:56.7890', '2026-02-28 12:34:56.789012',
  '2026-02-28 12:34:56', '2026-02-28 12:34:56.78', '2026-02-28 12:34:56.789', '2026-02-28 12:34:56.78901', '2026-02-28 12:34:56.789012'),
  (2, '1970-01-01', '00:00:00', '00:00:00', '00:00:00.001', '00:00:00.000001', '1970-01-01 00:00:00', '1970-01-01 00:00:00.1', '1970-01-01 00:00:00.001', '1970-01-01 00:00:00.0001', '1970-01-01 00:00:00.000001',
  '1970-01-01 00:00:01', '1970-01-01 00:00:01.01', '1970-01-01 00:00:01.001', '1970-01-01 00:00:01.00001', '1970-01-01 00:00:01.000001'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
--@ stream
set time_zone = '+00:00';
insert into t select id + 10, d, t0, t1, t3, t6, dt0, dt1, dt3, dt4, dt6, ts0, ts2, ts3, ts5, ts6 from t;
set time_zone = '+05:30';
insert into t (id, dt0, ts0, ts6, t0) values (21, '2026-07-01 00:00:00', '2026-07-01 00:00:00', '2026-07-01 00:00:00.5', '23:59:59');
update t set d = '1969-12-31', dt6 = '1969-12-31 23:59:59.999999', t6 = '23:59:59.999999' where id = 1;
