-- Large values that were not sent, and nulls, read again from the table.
-- A commit that does not wait for the disk is seen by queries before it is streamed: Debezium reads what was there before it otherwise.
--@ config {"post.processors": "again", "again.type": "io.debezium.processors.reselect.ReselectColumnsPostProcessor"}
--@ variant both {}
--@ variant unavailable {"again.reselect.null.values": "false"}
--@ variant nulls {"again.reselect.unavailable.values": "false"}
--@ variant included {"again.reselect.columns.include.list": "public.t:t,PUBLIC.t:i,public.w:.*"}
--@ variant excluded {"again.reselect.columns.exclude.list": "public.t:t,public.w:.*"}
--@ variant long_names {"post.processors.again.type": "io.debezium.processors.reselect.ReselectColumnsPostProcessor", "post.processors.again.reselect.null.values": "false"}
--@ differs(both,unavailable,included,long_names) keys-of-rows-that-are-read-again \.w value\.payload\.after\.t$
create table t (id int primary key, k text not null, v int, t text, b bytea, j jsonb, a text[], ia int[], tn text not null, n text, i int, x text);
create table w (id numeric(6,2), "K é" uuid, t text, n int, primary key (id, "K é"));
create table no_key (id int, v int, t text, n int);
alter table t alter t set storage external, alter b set storage external, alter j set storage external, alter a set storage external, alter ia set storage external, alter tn set storage external;
alter table w alter t set storage external;
alter table no_key alter t set storage external;
alter table no_key replica identity full;
insert into t select g, 'it''s ' || g, 1, repeat('t', 3000), convert_to(repeat('b', 3000), 'utf8'), to_jsonb(repeat('j', 3000)), array[repeat('a', 3000)], array(select generate_series(1, 1000)), repeat('n', 3000) from generate_series(1, 3) g;
insert into w values (1.50, '11111111-1111-1111-1111-111111111111', repeat('t', 3000), null);
insert into no_key values (1, 1, repeat('t', 3000), null);
--@ stream
begin; set local synchronous_commit = off; update t set n = 'first'; commit;
begin; set local synchronous_commit = off; update w set n = null; commit;
begin; set local synchronous_commit = off; update no_key set v = 2; commit;
--@ then
begin; set local synchronous_commit = off; update t set n = null; update t set i = 5; update t set n = 'later'; commit;
begin; set local synchronous_commit = off; insert into t (id, k, tn) values (10, 'ten', 'short'); commit;
--@ then
begin; set local synchronous_commit = off; insert into t (id, k, tn) values (11, 'eleven', 'short'); update t set t = 'came later', i = 1 where id = 11; commit;
--@ then
begin; set local synchronous_commit = off; update t set id = id + 100 where id < 3; commit;
--@ then
begin; set local synchronous_commit = off; update t set i = 6 where id = 102; alter table t drop column a; update t set i = 7; commit;
