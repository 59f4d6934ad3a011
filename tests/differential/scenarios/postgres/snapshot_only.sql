-- A snapshot, and nothing behind it.
--@ config {"snapshot.mode": "initial_only"}
--@ ends snapshot
create table t (id int primary key, v text);
create table empty (id int primary key);
create table one (id int primary key);
insert into t select g, 'v' || g from generate_series(1, 20) g;
insert into one values (1);
