-- A snapshot for which the stream waits.
--@ config {"signal.data.collection": "public.signals", "snapshot.mode": "no_data", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 5) i;
create table b (id int primary key, v text); insert into b select i, 'v' || i from generate_series(1, 5) i;
--@ stream
insert into signals values ('one', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "blocking"}');
select pg_sleep(4);
--@ then
insert into signals values ('two', 'execute-snapshot', '{"data-collections": ["public.b"], "type": "BLOCKING", "additional-conditions": [{"data-collection": "public.b", "filter": "SELECT * FROM public.b WHERE id > 3"}]}');
select pg_sleep(4);
--@ then
insert into a values (6, 'streamed'); update b set v = 'changed' where id = 1;
