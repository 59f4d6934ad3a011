-- Dates with times in the time of a zone, for all rows, some tables and some fields.
--@ variant all {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "America/New_York"}
--@ variant offset {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "+05:30", "time.precision.mode": "connect"}
--@ variant source {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "Asia/Kathmandu", "transforms.z.exclude.list": "source:t:b,u:after.z"}
create table t (id int primary key, a datetime(6), b datetime not null default '2026-07-01 12:00:00', z timestamp(3) null, d date, c time);
create table u (id int primary key, x datetime(3), z timestamp null default '2026-01-01 00:00:00');
insert into t values (1, '2026-03-08 02:30:00.123456', '2026-11-01 01:30:00', '2026-03-08 07:30:00.5', '2026-01-01', '01:02:03'), (2, null, default, null, null, null),
  (3, '1000-01-01', '9999-12-31 23:59:59', '1970-01-02 00:00:00', null, null);
insert into u (id, x) values (1, '1969-12-31 23:59:59.999');
--@ stream
insert into t values (4, '1900-01-01 00:00:00.000001', '1970-01-01', '2037-07-01 00:00:00', '2026-01-01', '01:02:03');
update t set a = '2026-11-01 01:30:00', z = null where id = 1;
delete from t where id = 4;
insert into u values (2, '2026-01-01', null);
