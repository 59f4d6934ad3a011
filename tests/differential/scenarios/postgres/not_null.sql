-- What a delete shows of required columns that were not logged, for every type.
create type mood as enum ('sad', 'ok');
create table t (
  id int primary key, i2 smallint not null, i8 bigint not null, f real not null, d double precision not null, n numeric not null, n52 numeric(5,2) not null, m money not null, b boolean not null, v text not null, c char(3) not null,
  j json not null, jb jsonb not null, x xml not null, u uuid not null, by bytea not null, bt bit(4) not null, b1 bit not null, dt date not null, t time not null, tz timetz not null, ts timestamp not null, ts3 timestamp(3) not null, tsz timestamptz not null,
  iv interval not null, ip inet not null, r int4range not null, p point not null, a int[] not null, ta text[] not null, e mood not null, tv tsvector not null);
insert into t values (1, 1, 1, 1, 1, 1, 1, 1, true, 'a', 'a', '1', '1', '<a/>', gen_random_uuid(), 'a', B'1010', B'1', '2026-01-01', '12:00', '12:00+00', '2026-01-01', '2026-01-01', '2026-01-01', '1 day', '1.1.1.1', '[1,2)', '(1,2)', '{1}', '{a}', 'ok', 'a');
--@ stream
delete from t;
