-- What is read at the start.
--@ variant no_data {"snapshot.mode": "no_data"}
--@ variant when_needed {"snapshot.mode": "when_needed"}
--@ variant always {"snapshot.mode": "always"}
--@ variant initial {"snapshot.mode": "initial"}
create table t (id int primary key, v varchar(10)); create table bare (id int primary key);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
update t set v = 'c'; insert into bare values (1);
--@ stopped
insert into t values (3, 'd');
