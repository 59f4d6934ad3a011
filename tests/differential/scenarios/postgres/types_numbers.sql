-- Every number, with the limits of each, and special values where a type has them.
--@ variant precise {}
--@ variant string {"decimal.handling.mode": "string"}
--@ variant double {"decimal.handling.mode": "double"}
create table t (
  id serial primary key, i2 smallint, i4 integer, i8 bigint, o oid, f4 real, f8 double precision,
  n numeric, n5 numeric(5), n52 numeric(5,2), n3810 numeric(38,10), n00 numeric(3,3), m money, b boolean,
  ss smallserial, bs bigserial);
insert into t (i2, i4, i8, o, f4, f8, n, n5, n52, n3810, n00, m, b) values
  (-32768, -2147483648, -9223372036854775808, 0, 1.5, 1e100, 0, 0, 0, 0, 0, 0, true),
  (32767, 2147483647, 9223372036854775807, 4294967295, 3.4028235e38, 1.7976931348623157e308, 1, 99999, 999.99, 1234567890123456789012345678.0123456789, 0.999, 92233720368547758.07, false),
  (0, 0, 0, 1, 0.1, 0.1, 1.10, -1, -0.01, -0.0000000001, -0.001, -1234.56, null),
  (null, null, null, null, 'NaN', 'Infinity', null, null, null, null, null, null, null);
--@ stream
insert into t (f4, f8, n) values ('-Infinity', '-Infinity', 123456789012345678901234567890.123456789012345678901234567890);
insert into t (f4, f8, n) values (1e-45, 5e-324, 1000);
insert into t (f4, f8, n, n5) values (16777216, 9007199254740993, 1e20, 100);
insert into t (f4, f8, n) values (-0.0, -0.0, 0.00001);
insert into t (f4, f8, n) values (1e7, 1e7, 0.000);
insert into t (f4, f8, n) values (123456.789, 1234567.891, -1.500);
insert into t (f4, f8, m) values (0.001, 0.0001, '-$0.01');
update t set i2 = 5, n52 = 12.3, m = 12.34, f8 = 100, f4 = 100 where id = 1;
