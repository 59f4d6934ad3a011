-- Exact numbers in every handling mode; the widest in the stream only.
--@ variant precise {}
--@ variant string {"decimal.handling.mode": "string"}
--@ variant double {"decimal.handling.mode": "double"}
create table t (id int primary key, d decimal, d5 decimal(5), d52 decimal(5,2), n numeric(9,4), nn decimal(4,2) not null default 1.5, u decimal(10,2) unsigned);
create table w (id int primary key, d6530 decimal(65,30), d650 decimal(65,0), f fixed(18,9), d10 decimal(10,1), k dec(19,1), d3030 decimal(30,30));
insert into t values (1, 0, 0, 0, 0, 0, 0), (2, 9999999999, 99999, 999.99, 99999.9999, 99.99, 99999999.99), (3, -9999999999, -1, -0.01, -0.0001, -0.01, 0.01), (4, null, null, null, null, 1, null);
--@ stream
insert into t select id + 10, d, d5, d52, n, nn, u from t;
update t set d52 = 1.10, nn = -12.34 where id = 1;
insert into w values (1, 0, 0, 0, 0, 0, 0), (2, 12345678901234567890123456789012345.123456789012345678901234567890, 99999999999999999999999999999999999999999999999999999999999999999, 123456789.123456789, 123456789.1, 123456789012345678.9, 0.999999999999999999999999999999),
  (3, -0.000000000000000000000000000001, -1, -0.000000001, -0.1, -0.1, -0.000000000000000000000000000001), (4, null, null, null, null, null, null);
insert into w (id, k, d10) values (21, 1e17, 100), (22, 100000000, 1), (23, -1000000000.5, -1);
