-- A signal table is captured although no list names it, and no snapshot reads it.
--@ config {"signal.data.collection": "public.signals", "table.include.list": "public.a", "snapshot.include.collection.list": "public.*"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048)); insert into signals values ('old', 'log', '{}');
create table a (id int primary key); insert into a values (1);
--@ stream
insert into signals values ('one', 'log', '{"message": "here"}');
