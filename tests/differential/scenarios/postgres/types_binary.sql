-- Bytes in every mode.
--@ variant bytes {}
--@ variant base64 {"binary.handling.mode": "base64"}
--@ variant base64-url-safe {"binary.handling.mode": "base64-url-safe"}
--@ variant hex {"binary.handling.mode": "hex"}
create table t (id serial primary key, b bytea, n bytea not null default '\xdeadbeef', a bytea[]);
insert into t (b, a) values ('\x', '{}'), ('\x00', array['\x00'::bytea, null]), ('\xfbff3e3f', array['\xfbff'::bytea]), (null, null), ('abc', null);
--@ stream
insert into t (b, a) values ('\x', '{}'), ('\x00', array['\x00'::bytea, null]), ('\xfbff3e3f', array['\xfbff'::bytea]), (null, null), ('abc', null);
update t set b = '\xffff' where id = 1;
delete from t where id = 1;
