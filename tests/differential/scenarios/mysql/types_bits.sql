-- Bit fields of every width.
create table t (id int primary key, b1 bit, b11 bit(1), b2 bit(2), b8 bit(8), b9 bit(9), b16 bit(16), b33 bit(33), b64 bit(64), d bit(4) not null default b'0101', d1 bit not null default b'1', d64 bit(64) default b'1000000000000000000000000000000000000000000000000000000000000001');
insert into t (id, b1, b11, b2, b8, b9, b16, b33, b64) values (1, b'0', b'1', b'10', b'10000001', b'100000001', b'1000000000000001', b'100000000000000000000000000000001', b'1111111111111111111111111111111111111111111111111111111111111111'),
  (2, null, null, null, null, null, null, null, null), (3, 1, 0, 0, 0, 0, 0, 0, 0);
--@ stream
insert into t (id, b1, b11, b2, b8, b9, b16, b33, b64) values (11, b'0', b'1', b'10', b'10000001', b'100000001', b'1000000000000001', b'100000000000000000000000000000001', b'1111111111111111111111111111111111111111111111111111111111111111'),
  (12, null, null, null, null, null, null, null, null), (13, 1, 0, 3, 255, 256, 256, 1, 72057594037927936);
update t set b1 = 1, b9 = 5, d = 15 where id = 1;
