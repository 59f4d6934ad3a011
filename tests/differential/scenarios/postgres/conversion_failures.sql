-- Values that the chosen form cannot show.
--@ variant warn {}
--@ variant skip {"event.converting.failure.handling.mode": "skip"}
--@ variant leave_out {"event.converting.failure.handling.mode": "fail", "event.processing.failure.handling.mode": "warn", "snapshot.mode": "no_data"}
create table t (id int primary key, n numeric(5,2), v text);
--@ stream
insert into t values (1, 'NaN', 'a'), (2, 1.5, 'b');
update t set v = 'c';
