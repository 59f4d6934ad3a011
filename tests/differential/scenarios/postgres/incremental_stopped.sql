-- Paused, resumed, stopped.
--@ config {"signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "2", "snapshot.mode": "no_data", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 5) i;
create table b (id int primary key, v text); insert into b select i, 'v' || i from generate_series(1, 5) i;
--@ stream
insert into signals values ('one', 'execute-snapshot', '{"data-collections": ["public.a", "public.b"]}'), ('two', 'stop-snapshot', '{"data-collections": ["public.b"]}');
select pg_sleep(3);
--@ then
insert into signals values ('three', 'log', '{"message": "at {}"}'), ('four', 'nonsense', '{}');
