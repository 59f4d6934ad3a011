-- Infinity, years before Christ and after 9999.
--@ differs(adaptive,isostring,connect) infinite-dates payload.after.d$
--@ variant adaptive {}
--@ variant isostring {"time.precision.mode": "isostring"}
--@ variant connect {"time.precision.mode": "connect"}
create table t (id serial primary key, d date, ts timestamp, ts3 timestamp(3), tz timestamptz, ttz timetz);
insert into t (d, ts, ts3, tz) values ('infinity', 'infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity', '-infinity');
--@ stream
insert into t (d, ts, ts3, tz) values ('infinity', 'infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity', '-infinity');
insert into t (ttz) values ('24:00+00'), ('24:00-01'), ('00:00+14');
insert into t (d) values ('4713-01-01 BC'), ('0044-03-15 BC'), ('12026-01-01'), ('5874897-12-31');
insert into t (ts) values ('4713-01-01 00:00:00 BC'), ('0044-03-15 12:00 BC'), ('12026-01-01 00:00:00.5');
insert into t (tz) values ('0044-03-15 12:00+00 BC'), ('12026-01-01 00:00:00.5+00');
