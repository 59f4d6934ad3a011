-- Paused, resumed, stopped.
--@ config {"signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "2", "snapshot.mode": "no_data", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
--@ differs signals-that-cannot-be-obeyed _told record
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create sequence closed;
create function count_closed() returns trigger language plpgsql as $$ begin
  if tg_op = 'DELETE' or new.type = 'snapshot-window-close' then perform nextval('closed'); end if; return null; end $$;
create function wait_for(n int) returns void language plpgsql as $$ begin
  for i in 1..800 loop exit when (select last_value from closed) >= n; perform pg_sleep(0.05); end loop; end $$;
create trigger t after insert or delete on signals for each row execute function count_closed();
create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 5) i;
create table b (id int primary key, v text); insert into b select i, 'v' || i from generate_series(1, 5) i;
--@ stream
insert into signals values ('one', 'execute-snapshot', '{"data-collections": ["public.a", "public.b"]}'), ('two', 'stop-snapshot', '{"data-collections": ["public.b"]}');
select wait_for(8);
--@ then
insert into signals values ('three', 'log', '{"message": "at {}"}'), ('four', 'nonsense', '{}');
