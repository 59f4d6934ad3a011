-- Dates that are none: zero, and with a month or a day of zero.
--@ differs(mariadb) zeros-in-snapshots after\.ts$
--@ differs fractions-of-zero after\.tsn
create table t (id int primary key, d date, dn date not null, dt datetime, dtn datetime(6) not null, ts timestamp null, tsn timestamp(3) not null default '2000-01-01 00:00:00', tn time not null);
set sql_mode = 'allow_invalid_dates';
insert into t values (1, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '00:00:00'),
  (2, '2026-00-00', '2026-01-00', '2026-00-01 10:00:00', '2026-01-00 10:00:00', null, default, '10:00:00');
--@ stream
set sql_mode = 'allow_invalid_dates';
insert into t values (11, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '00:00:00'),
  (12, '2026-00-00', '2026-01-00', '2026-00-01 10:00:00', '2026-01-00 10:00:00', null, default, '10:00:00'),
  (13, '0000-01-01', '0000-00-01', '0000-01-01 00:00:00', '0000-01-01 00:00:00', null, default, '10:00:00');
update t set dn = '0000-00-00', d = '2026-05-05' where id = 2;
