-- The same, made fit for Avro.
--@ variant avro {"schema.name.adjustment.mode": "avro", "field.name.adjustment.mode": "avro"}
--@ variant avro_unicode {"schema.name.adjustment.mode": "avro_unicode", "field.name.adjustment.mode": "avro_unicode"}
create schema "Sch ema";
create table "Sch ema"."Ta.ble" ("I d" int primary key, "Select" text, "a.b" int, "quote""d" int, "ключ" text, "名" text);
create table "ТАБЛИЦА" (id int primary key, v text);
create table "MixedCase" ("Id" int primary key, "vAlue" text);
create table a23456789012345678901234567890123456789012345678901234567890123 (id int primary key, b23456789012345678901234567890123456789012345678901234567890123 int);
create table "dash-ed_and$dollar" (id int primary key, "$d" int, "1st" int);
insert into "Sch ema"."Ta.ble" values (1, 'a', 2, 3, 'b', 'c'); insert into "ТАБЛИЦА" values (1, 'v'); insert into "MixedCase" values (1, 'v'); insert into a23456789012345678901234567890123456789012345678901234567890123 values (1, 2); insert into "dash-ed_and$dollar" values (1, 2, 3);
--@ stream
insert into "Sch ema"."Ta.ble" values (2, 'a', 2, 3, 'b', 'c'); insert into "ТАБЛИЦА" values (2, 'v'); insert into "MixedCase" values (2, 'v'); insert into a23456789012345678901234567890123456789012345678901234567890123 values (2, 2); insert into "dash-ed_and$dollar" values (2, 2, 3);
update "MixedCase" set "Id" = "Id" + 5; delete from "ТАБЛИЦА";
