-- Signals that change nothing, and signals that make no sense.
--@ config {"signal.data.collection": "${run}.signals"}
create table signals (id varchar(64) primary key, type varchar(32) not null, data varchar(2048)); create table t (id int primary key);
insert into signals values ('old', 'log', '{"message": "before"}');
--@ stream
insert into signals values ('a', 'log', '{"message": "at {}"}'), ('b', 'nonsense', null), ('c', 'execute-snapshot', 'not json'), ('d', 'pause-snapshot', '{}');
insert into t values (1);
update signals set data = null; delete from signals where id = 'b';
