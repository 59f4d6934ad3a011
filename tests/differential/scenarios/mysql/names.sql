-- Names that neither Kafka nor Avro likes.
--@ variant default {}
--@ variant avro {"schema.name.adjustment.mode": "avro", "field.name.adjustment.mode": "avro"}
--@ variant unicode {"schema.name.adjustment.mode": "avro_unicode", "field.name.adjustment.mode": "avro_unicode"}
create table `with space` (id int primary key, `a b` int, `1st` int, `dash-ed` int, `ünï` int); create table `Upper` (`ID` int primary key, `CamelCase` int); create table `dot.ted` (id int primary key); create table `漢字` (`漢` int primary key);
insert into `with space` values (1, 2, 3, 4, 5); insert into `Upper` values (1, 2); insert into `dot.ted` values (1); insert into `漢字` values (1);
--@ stream
insert into `with space` values (2, 2, 3, 4, 5); insert into `Upper` values (2, 2); insert into `dot.ted` values (2); insert into `漢字` values (2);
alter table `with space` add column `semi;colon` int; insert into `with space` values (3, 2, 3, 4, 5, 6); update `Upper` set `camelcase` = 5; delete from `漢字`;
