-- Snapshots while streaming, on signals of the signal table: rows, marks, notifications.
--@ differs marks-in-incremental-snapshots \.(a|b) value\.payload\.source\.(server_id|gtid|thread)
--@ config {"signal.data.collection": "${run}.signals", "incremental.snapshot.chunk.size": "4", "snapshot.mode": "no_data", "table.exclude.list": "${run}.closed", "notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
--@ variant insert_insert {}
--@ variant insert_delete {"incremental.snapshot.watermarking.strategy": "insert_delete"}
create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));
create table closed (n int auto_increment primary key);
delimiter //
create procedure wait_for(n int) begin declare i int default 0; while i < 400 and (select count(*) from closed) < n do do sleep(0.05); set i = i + 1; end while; end//
create trigger opened after insert on signals for each row begin if new.type = 'snapshot-window-close' then insert into closed values (); end if; end//
create trigger deleted after delete on signals for each row insert into closed values ()//
delimiter ;
create table a (id int primary key, v text); insert into a with recursive s(i) as (select 1 union all select i + 1 from s where i < 10) select i, concat('v', i) from s;
create table b (k varchar(20), n bigint unsigned, v text, d decimal(5,2), primary key (n, k)); insert into b with recursive s(i) as (select 1 union all select i + 1 from s where i < 9) select concat('k', i), i % 3, repeat('x', i), i / 4 from s;
create table bare (id int primary key);
create table keyless (id int); insert into keyless values (1);
--@ stream
insert into signals values ('first', 'execute-snapshot', '{"data-collections": ["${run}.a"], "type": "incremental"}');
call wait_for(3 * ${sides});
--@ then
insert into signals values ('second', 'execute-snapshot', '{"data-collections": ["${run}.b", "${run}.bare", "${run}.keyless"]}');
call wait_for(6 * ${sides});
--@ then
insert into signals values ('third', 'execute-snapshot', '{"data-collections": ["${run}.a"], "additional-conditions": [{"data-collection": "${run}.a", "filter": "id > 3 and id < 9"}]}');
call wait_for(8 * ${sides});
--@ then
insert into a values (11, 'streamed'); update a set v = 'changed' where id = 3;
