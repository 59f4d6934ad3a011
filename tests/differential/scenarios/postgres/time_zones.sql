-- Dates with times in the time of a zone, for all rows, some tables and some fields.
--@ variant all {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "America/New_York"}
--@ variant offset {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "+05:30", "time.precision.mode": "connect"}
--@ variant included {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "+05:30", "transforms.z.include.list": "source:t:a,t:z"}
--@ variant excluded {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "+05:30", "transforms.z.exclude.list": "source:t:before.a,t:z,u:x"}
--@ variant of_topics {"transforms": "z", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "Asia/Kathmandu", "transforms.z.include.list": "topic:${run}.public.u"}
--@ variant unwrapped {"transforms": "z,u", "transforms.z.type": "io.debezium.transforms.TimezoneConverter", "transforms.z.converted.timezone": "-08:00", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState"}
create table t (id int primary key, a timestamp, b timestamp(3) not null default '2026-07-01 12:00:00', z timestamptz, d date, c time);
alter table t replica identity full;
create table u (id int primary key, x timestamp, z timestamptz default '2026-01-01 00:00:00Z');
insert into t values (1, '2026-03-08 02:30:00.123456', '2026-11-01 01:30:00', '2026-03-08 07:30:00.5Z', '2026-01-01', '01:02:03'), (2, null, default, null, null, null),
  (3, '0001-01-01', '9999-12-31 23:59:59.999', '1883-01-01 00:00:00Z', null, null);
insert into u values (1, '1969-12-31 23:59:59.999999');
--@ stream
insert into t values (4, '1900-01-01 00:00:00.000001', '1970-01-01', '2040-07-01 00:00:00+02', '2026-01-01', '01:02:03');
update t set a = '2026-11-01 01:30:00', z = null where id = 1;
delete from t where id = 4;
insert into u values (2, '2026-01-01', null);
