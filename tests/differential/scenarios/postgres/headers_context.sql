-- The headers that say where a record comes from, which are on by default.
--@ variant on {"extended.headers.enabled": "true"}
--@ variant off {"extended.headers.enabled": "false"}
--@ variant text {"header.converter": "org.apache.kafka.connect.storage.StringConverter"}
--@ variant json {"header.converter": "org.apache.kafka.connect.json.JsonConverter"}
--@ variant without_tombstones {"tombstones.on.delete": "false", "skipped.operations": "none"}
create table t (id int primary key, v text);
create table u (id int primary key);
insert into t values (1, 'a'); insert into u values (1);
--@ stream
begin; update t set v = 'b'; insert into u values (2); update t set v = 'c'; commit;
update t set id = 2;
delete from t;
truncate u;
