-- What is told of the snapshot at the start.
--@ config {"snapshot.include.collection.list": "public.a", "notification.enabled.channels": "sink,log,jmx", "notification.sink.topic.name": "${run}_told"}
create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 5) i;
--@ stream
insert into a values (6, 'streamed');
