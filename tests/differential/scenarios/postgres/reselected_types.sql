-- Nulls of all kinds of types, read again after they were set.
-- A commit that does not wait for the disk is seen by queries before it is streamed: Debezium reads what was there before it otherwise.
--@ config {"post.processors": "again", "again.type": "io.debezium.processors.reselect.ReselectColumnsPostProcessor"}
--@ variant precise {}
--@ variant string {"decimal.handling.mode": "string", "binary.handling.mode": "hex", "interval.handling.mode": "string"}
--@ differs values-that-are-read-again after\.(ti|m)$
create extension hstore;
create type mood as enum ('sad', 'ok');
create table t (id int primary key, v int, bo bool, si smallint, i int, bi bigint, r real, d double precision, n numeric(8,2), nn numeric, m money, tx text, vc varchar(9), c char(5), by bytea, da date, ti time, ts timestamp, ts3 timestamp(3), tz timestamptz, iv interval, u uuid, js json, jb jsonb, e mood, h hstore, ine inet, ra int4range, b1 bit, b5 bit(5), p point, ia int[], ta text[]);
insert into t (id, v) values (1, 1);
--@ stream
begin;
set local synchronous_commit = off;
update t set v = 2;
update t set bo = true, si = 1, i = 2, bi = 3, r = 1.5, d = 2.5, n = 3.5, nn = 4.25, m = 5.5, tx = 'text', vc = 'vc', c = 'c', by = '\x00ff', da = '2026-01-02', ti = '12:34:56.123456', ts = '2026-01-02 12:34:56.123456', ts3 = '2026-01-02 12:34:56.123', tz = '2026-01-02 12:34:56.123456+02', iv = '1 year 2 days 3 seconds', u = '11111111-1111-1111-1111-111111111111', js = '{"a": 1}', jb = '{"a": 1}', e = 'ok', h = 'a=>1', ine = '127.0.0.1', ra = '[1,5)', b1 = '1', b5 = '10101', p = '(1,2)', ia = '{1,2}', ta = '{a,b}';
commit;
