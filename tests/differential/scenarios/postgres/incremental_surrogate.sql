-- Rows in the order of another column than the key.
--@ config {"signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "3", "snapshot.mode": "no_data"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create table a (id int primary key, n int not null); insert into a select i, 100 - i from generate_series(1, 10) i;
--@ stream
insert into signals values ('one', 'execute-snapshot', '{"data-collections": ["public.a"], "surrogate-key": "n"}');
select pg_sleep(3);
