-- Exact numbers in every handling mode.
--@ variant precise {}
--@ variant string {"decimal.handling.mode": "string"}
--@ variant double {"decimal.handling.mode": "double"}
create table t (id int primary key, d decimal, d5 decimal(5), d52 decimal(5,2), d6530 decimal(65,30), d650 decimal(65,0),
  n numeric(9,4), f fixed(18,9), u decimal(10,2) unsigned, z decimal(8,3) zerofill, d10 decimal(10,1), nn decimal(4,2) not null default 1.5, k dec(19,1));
insert into t (id, d, d5, d52, d6530, d650, n, f, u, z, d10, k) values
  (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  (2, 9999999999, 99999, 999.99, 12345678901234567890123456789012345.123456789012345678901234567890, 99999999999999999999999999999999999999999999999999999999999999999,
    99999.9999, 123456789.123456789, 99999999.99, 12345.678, 123456789.1, 123456789012345678.9),
  (3, -9999999999, -1, -0.01, -0.000000000000000000000000000001, -99999999999999999999999999999999999999999999999999999999999999999,
    -0.0001, -0.000000001, 0.01, 0.001, -0.1, -0.1),
  (4, null, null, null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (id, d, d5, d52, d6530, d650, n, f, u, z, d10, k) select id + 10, d, d5, d52, d6530, d650, n, f, u, z, d10, k from t;
update t set d52 = 1.10, nn = -12.34, d6530 = 1e10 where id = 1;
insert into t (id, d52, k) values (21, 100, 1e17), (22, 1, 100000000), (23, -999.99, -1000000000.5);
create table born (id int primary key, d decimal(30,30), z decimal(5,5) default 0.5);
insert into born (id, d) values (1, 0.999999999999999999999999999999), (2, -0.000000000000000000000000000001), (3, 0), (4, null);
