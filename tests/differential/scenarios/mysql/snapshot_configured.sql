-- A snapshot whose parts are chosen.
--@ variant schema {"snapshot.mode": "configuration_based", "snapshot.mode.configuration.based.snapshot.schema": "true", "snapshot.mode.configuration.based.start.stream": "true"}
--@ variant data {"snapshot.mode": "configuration_based", "snapshot.mode.configuration.based.snapshot.schema": "true", "snapshot.mode.configuration.based.snapshot.data": "true", "snapshot.mode.configuration.based.start.stream": "true"}
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
