-- The same in other modes.
--@ variant string {"decimal.handling.mode": "string", "time.precision.mode": "isostring", "interval.handling.mode": "string", "binary.handling.mode": "hex"}
--@ variant double {"decimal.handling.mode": "double", "time.precision.mode": "connect", "binary.handling.mode": "base64"}
create table t (
  id int primary key, n numeric not null, n52 numeric(5,2) not null, m money not null, by bytea not null, dt date not null, t time not null, tz timetz not null, ts timestamp not null, ts3 timestamp(3) not null, tsz timestamptz not null, iv interval not null);
insert into t values (1, 1, 1, 1, 'a', '2026-01-01', '12:00', '12:00+00', '2026-01-01', '2026-01-01', '2026-01-01', '1 day');
--@ stream
delete from t;
