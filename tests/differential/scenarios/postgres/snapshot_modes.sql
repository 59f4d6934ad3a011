-- Streaming alone.
--@ variant no_data {"snapshot.mode": "no_data"}
--@ variant when_needed {"snapshot.mode": "when_needed"}
--@ variant always {"snapshot.mode": "always"}
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
update t set v = 'c';
