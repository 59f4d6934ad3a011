-- Numbers that are not exact.
--@ differs digits-of-floats after\.(f|f24)$
--@ differs reals-of-statements born .*\.r\.type
create table t (id int primary key, f float, f24 float(24), f25 float(25), f73 float(7,3), d double, d102 double(10,2), dp double precision, r real,
  fu float unsigned, du double unsigned, f4 float(4), f53 float(53), nn float not null default 2.5);
insert into t (id, f, f24, f25, f73, d, d102, dp, r, fu, du, f4, f53) values
  (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  (2, 3.4028234e38, 1.17549435e-38, 1.7976931348623157e308, 1234.567, 1.7976931348623157e308, 12345678.91, 2.2250738585072014e-308, 1e100, 1.5, 1.5, 0.1, 0.1),
  (3, -0.1, 16777216, -1e-300, -999.999, 9007199254740993, -0.01, 123456.789, -1234567.891, 0.001, 1e7, 1e7, 1e21),
  (4, null, null, null, null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (id, f, f24, f25, f73, d, d102, dp, r, fu, du, f4, f53) values
  (11, 3.4028234e38, 1.17549435e-38, 1.7976931348623157e308, 1234.567, 1.7976931348623157e308, 12345678.91, 2.2250738585072014e-308, 1e100, 1.5, 1.5, 0.1, 0.1),
  (12, -0.1, 16777216, -1e-300, -999.999, 9007199254740993, -0.01, 123456.789, -1234567.891, 0.001, 1e7, 1e7, 1e21),
  (13, -0.0, 0.3, 0.3, 0.3, -0.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3),
  (14, null, null, null, null, null, null, null, null, null, null, null, null),
  (15, 1.4e-45, 33554433, 1e15, 100, 1e-7, 100, 1e16, 0.001, 123456789, 123456789, 100, 4.9e-324);
create table born (id int primary key, r real, f float(8,2), d double(20,3), p double precision not null default 1.25);
insert into born (id, r, f, d) values (1, 0.1, 0.1, 0.1), (2, 1e10, 123456.78, 12345678901234567.123);
update t set f = 1.1, d = 1.1 where id = 1;
