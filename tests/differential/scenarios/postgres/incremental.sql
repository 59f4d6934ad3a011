-- Snapshots while streaming, on signals of the signal table: rows, marks, notifications.
--@ config {"signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "4", "snapshot.mode": "no_data", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
--@ variant insert_insert {}
--@ variant insert_delete {"incremental.snapshot.watermarking.strategy": "insert_delete"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create sequence closed;
create function count_closed() returns trigger language plpgsql as $$ begin
  if tg_op = 'DELETE' or new.type = 'snapshot-window-close' then perform nextval('closed'); end if; return null; end $$;
create function wait_for(n int) returns void language plpgsql as $$ begin
  for i in 1..800 loop exit when (select last_value from closed) >= n; perform pg_sleep(0.05); end loop; end $$;
create trigger t after insert or delete on signals for each row execute function count_closed();
create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 10) i;
create table b (k text, n bigint, v text, primary key (n, k)); insert into b select 'k' || i, i % 3, repeat('x', i) from generate_series(1, 9) i;
create table c (id uuid primary key, v numeric(10,2)); insert into c values ('3b3c5ab1-0000-4000-8000-000000000001', 1.5), ('3b3c5ab1-0000-4000-8000-000000000002', null);
create table empty (id int primary key);
create table keyless (id int); insert into keyless values (1);
--@ stream
insert into signals values ('first', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}');
select wait_for(8);
--@ then
insert into signals values ('second', 'execute-snapshot', '{"data-collections": ["public.b", "public.c", "public.empty", "public.keyless"]}');
select wait_for(18);
--@ then
insert into signals values ('third', 'execute-snapshot', '{"data-collections": ["public.a"], "additional-conditions": [{"data-collection": "public.a", "filter": "id > 3 and id < 9"}]}');
select wait_for(24);
--@ then
insert into a values (11, 'streamed'); update a set v = 'changed' where id = 3;
