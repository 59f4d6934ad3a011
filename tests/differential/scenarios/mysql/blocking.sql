-- A snapshot for which the stream waits.
--@ differs marks-in-incremental-snapshots \.(a|b) value\.payload\.source\.(server_id|gtid|thread)$
--@ differs structure-in-blocking-snapshots ^\* record$
--@ config {"signal.data.collection": "${run}.signals", "snapshot.mode": "no_data", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create table a (id int primary key, v text); insert into a values (1, 'v1'), (2, 'v2'), (3, 'v3');
create table b (id int primary key, v text); insert into b values (1, 'v1'), (4, 'v4'), (5, 'v5');
--@ stream
insert into signals values ('one', 'execute-snapshot', '{"data-collections": ["${run}.a"], "type": "blocking"}');
do sleep(4);
--@ then
insert into signals values ('two', 'execute-snapshot', '{"data-collections": ["${run}.b"], "type": "BLOCKING", "additional-conditions": [{"data-collection": "${run}.b", "filter": "SELECT * FROM ${run}.b WHERE id > 3"}]}');
do sleep(4);
--@ then
insert into a values (6, 'streamed'); update b set v = 'changed' where id = 1;
