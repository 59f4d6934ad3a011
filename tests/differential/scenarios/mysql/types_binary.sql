-- Bytes in every handling mode.
--@ differs(11.8) defaults-in-hex fields\.(d|vd) fields|columns\.(9|10)\.defaultValueExpression
--@ differs(mysql) escapes-in-defaults fields\.d\.default
--@ variant bytes {}
--@ variant base64 {"binary.handling.mode": "base64"}
--@ variant base64_url {"binary.handling.mode": "base64-url-safe"}
--@ variant hex {"binary.handling.mode": "hex"}
create table t (id int primary key, b binary(5), b1 binary, v varbinary(20), tb tinyblob, bl blob, mb mediumblob, lb longblob, bl10 blob(10), d binary(3) not null default 'ab', vd varbinary(9) default 'xyz');
insert into t (id, b, b1, v, tb, bl, mb, lb, bl10) values (1, 'ab', 'x', 0xff00fe, 0x00, 0xfb, 'mb', 'lb', 0x01), (2, '', '', '', '', '', '', '', ''), (3, null, null, null, null, null, null, null, null),
  (4, 0x0100000000, 0x00, 0x000000, 0x7f80, repeat(0xfa, 300), 'ä', 0xfbff, 'a');
--@ stream
insert into t (id, b, b1, v, tb, bl, mb, lb, bl10) values (11, 'ab', 'x', 0xff00fe, 0x00, 0xfb, 'mb', 'lb', 0x01), (12, '', '', '', '', '', '', '', ''), (13, null, null, null, null, null, null, null, null),
  (14, 0x0100000000, 0x00, 0x000000, 0x7f80, repeat(0xfa, 300), 'ä', 0xfbff, 'a'), (15, 0x0000000000, 0x20, 0x2020, 0x2020, 'x', 'y', 'z', 'w');
update t set bl = repeat('b', 65535), mb = repeat('c', 70000) where id = 1;
