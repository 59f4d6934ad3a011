-- Several connections read tables in parts: which rows there are, and which are marked.
--@ any order
--@ variant two {"snapshot.max.threads": "2"}
--@ variant multiplied {"snapshot.max.threads": "3", "snapshot.max.threads.multiplier": "2", "snapshot.max.threads.multiplier.public.b": "4"}
--@ variant told {"snapshot.max.threads.multiplier": "6", "snapshot.include.collection.list": "public.b", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
create table a (tenant int, name text, v text, primary key (tenant, name));
insert into a select case when i % 10 = 0 then i else 5 end, 'n' || i, repeat('a', 500) from generate_series(1, 2000) i;
create table b (id int primary key, v text); insert into b select i * i, repeat('b', 500) from generate_series(1, 1998) i;
create table c (id int, v text); insert into c select i, repeat('c', 500) from generate_series(1, 2000) i;
create table d (id int primary key); insert into d values (1), (2), (3);
--@ stream
insert into b values (-1, 'streamed'); update d set id = 7 where id = 2; insert into c values (0, 'streamed');
