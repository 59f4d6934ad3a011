-- Values read again of the rows that have the key of the event.
-- A commit that does not wait for the disk is seen by queries before it is streamed: Debezium reads what was there before it otherwise.
--@ config {"post.processors": "again", "again.type": "io.debezium.processors.reselect.ReselectColumnsPostProcessor", "again.reselect.use.event.key": "true", "message.key.columns": "public.t:k,v"}
create table t (id int primary key, k text not null, v int not null, t text, n text);
alter table t alter t set storage external;
alter table t replica identity full;
insert into t select g, 'it''s ' || g, g, repeat('t', 3000), null from generate_series(1, 3) g;
--@ stream
begin; set local synchronous_commit = off; update t set n = 'first' where id = 1; commit;
--@ then
begin; set local synchronous_commit = off; update t set n = null; update t set n = 'later' where id = 2; commit;
--@ then
begin; set local synchronous_commit = off; insert into t (id, k, v) values (4, 'four', 4); update t set t = 'came later' where id = 4; commit;
