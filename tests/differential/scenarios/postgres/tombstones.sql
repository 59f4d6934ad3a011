-- Deletes with and without the record behind them that says so to compaction.
--@ variant on {}
--@ variant off {"tombstones.on.delete": "false"}
create table t (id int primary key, v text not null, w text);
insert into t values (1, 'a', null), (2, 'b', 'x');
--@ stream
delete from t where id = 1;
update t set id = 3 where id = 2;
delete from t;
