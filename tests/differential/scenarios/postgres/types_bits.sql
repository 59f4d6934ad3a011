-- Bit strings: one bit is a boolean, more are bytes, the least significant first.
create table t (id serial primary key, b bit, b1 bit(1), b2 bit(2), b8 bit(8), b9 bit(9), b70 bit(70), v bit varying, v1 bit varying(1), v5 bit varying(5), d bit(3) default B'101', d1 bit default B'1');
insert into t (b, b1, b2, b8, b9, b70, v, v1, v5) values
  (B'1', B'0', B'10', B'10000000', B'100000001', B'1'::bit(70), B'101', B'1', B'101'),
  (B'0', B'1', B'00', B'00000000', B'000000000', B'0'::bit(70), B'', B'', B''),
  (null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (b, b1, b2, b8, b9, b70, v, v1, v5) values
  (B'1', B'0', B'10', B'10000000', B'100000001', B'1'::bit(70), B'101', B'1', B'101'),
  (B'0', B'1', B'00', B'00000000', B'000000000', B'0'::bit(70), B'', B'', B''),
  (null, null, null, null, null, null, null, null, null),
  (null, null, null, null, null, null, B'0000000000000001', B'0', B'00001');
