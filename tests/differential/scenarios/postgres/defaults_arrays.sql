-- Defaults of arrays, bytes, bits, points and other structures.
create table t (
  id int primary key, a int[] default '{}', an int[] not null default '{1,2}', tx text[] default array['a','b'], b bytea default '\x01', bn bytea not null default 'abc', bt bit(4) default B'1010', b1 bit not null default B'1',
  p point default '(1,2)', m money default 1.5, r int4range default '[1,2)', ip inet default '127.0.0.1', tv tsvector default 'a b');
insert into t (id) values (1);
--@ stream
insert into t (id) values (2);
delete from t;
