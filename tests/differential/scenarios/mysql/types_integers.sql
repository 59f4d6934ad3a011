-- Every integer, signed and unsigned, with the limits of each.
--@ differs booleans-of-statements born value\..*\.(b|bb)(\.|$)
--@ variant long {}
--@ variant precise {"bigint.unsigned.handling.mode": "precise"}
--@ variant signed_long {"bigint.unsigned.handling.mode": "long"}
create table t (
  id serial primary key, i1 tinyint, i2 smallint, i3 mediumint, i4 int, i8 bigint,
  u1 tinyint unsigned, u2 smallint unsigned, u3 mediumint unsigned, u4 int unsigned, u8 bigint unsigned,
  b bool, t1 tinyint(1), t1u tinyint(1) unsigned, z4 int(6) zerofill, z1 tinyint zerofill, i integer(5), n int8);
insert into t (i1, i2, i3, i4, i8, u1, u2, u3, u4, u8, b, t1, t1u, z4, z1, i, n) values
  (-128, -32768, -8388608, -2147483648, -9223372036854775808, 0, 0, 0, 0, 0, false, -128, 0, 0, 0, -1, -1),
  (127, 32767, 8388607, 2147483647, 9223372036854775807, 255, 65535, 16777215, 4294967295, 18446744073709551615, true, 127, 255, 42, 7, 99999, 1),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (i1, i2, i3, i4, i8, u1, u2, u3, u4, u8, b, t1, t1u, z4, z1, i, n) values
  (-128, -32768, -8388608, -2147483648, -9223372036854775808, 0, 0, 0, 0, 0, false, -128, 0, 0, 0, -1, -1),
  (127, 32767, 8388607, 2147483647, 9223372036854775807, 255, 65535, 16777215, 4294967295, 18446744073709551615, true, 127, 255, 42, 7, 99999, 1),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (-1, -1, -1, -1, -1, 128, 32768, 8388608, 2147483648, 9223372036854775808, 1, 2, 3, 1, 1, 1, 1);
update t set u8 = 9223372036854775807, u3 = 8388607, i3 = -1 where id = 1;
create table born (id bigint unsigned primary key, b boolean, t tinyint(1), bb bool not null default true, i2 int2, i3 middleint);
insert into born values (18446744073709551615, true, 1, false, 2, 3);
