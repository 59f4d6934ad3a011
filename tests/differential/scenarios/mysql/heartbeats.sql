-- Heartbeats in their topic.
--@ differs(mariadb+topic) names-of-heartbeats heartbeat
--@ variant default {"heartbeat.interval.ms": "100"}
--@ variant named {"heartbeat.interval.ms": "100", "topic.heartbeat.prefix": "heartbeats"}
--@ variant topic {"heartbeat.interval.ms": "100", "topic.heartbeat.name": "${run}_heartbeat"}
create table t (id int primary key);
insert into t values (1);
--@ stream
insert into t values (2);
--@ then
insert into t values (3);
