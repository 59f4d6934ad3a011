-- What the connector tells of its snapshot.
--@ config {"notification.enabled.channels": "sink", "notification.sink.topic.name": "${run}_told"}
create table t (id int primary key); create table bare (id int primary key);
insert into t values (1), (2);
--@ stream
insert into t values (3);
