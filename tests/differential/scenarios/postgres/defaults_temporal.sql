-- Defaults of dates and times: literals, infinity, the clock.
--@ differs(adaptive,isostring) infinite-dates fields.inf |before.inf$
--@ variant adaptive {}
--@ variant connect {"time.precision.mode": "connect"}
--@ variant isostring {"time.precision.mode": "isostring"}
create table t (
  id int primary key, d date default '2026-01-02', dn date not null default '1970-01-01', dc date default current_date, t time default '12:34:56.789', tn time not null default '00:00',
  ts timestamp default '2026-01-02 03:04:05.678', ts3 timestamp(3) not null default '2026-01-02 03:04:05.678', tsn timestamp not null default now(), tsc timestamp default current_timestamp,
  tz timestamptz default '2026-01-02 03:04:05+02', tzn timestamptz not null default now(), tzc timestamptz not null default current_timestamp, tt timetz default '12:00:00+02', i interval default '1 day', inn interval not null default '00:00:01', inf timestamp not null default 'infinity');
insert into t (id, dc, tsn, tsc, tzn, tzc) values (1, null, '2026-01-01', null, '2026-01-01', '2026-01-01');
--@ stream
insert into t (id, dc, tsn, tsc, tzn, tzc) values (2, null, '2026-01-01', null, '2026-01-01', '2026-01-01');
delete from t;
