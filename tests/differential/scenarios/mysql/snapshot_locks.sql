-- Snapshots under every lock.
--@ any order
--@ variant none {"snapshot.locking.mode": "none"}
--@ variant minimal {"snapshot.locking.mode": "minimal"}
--@ variant extended {"snapshot.locking.mode": "extended"}
create table t (id int primary key, v varchar(10)); create table u (id int primary key);
insert into t values (1, 'a'), (2, 'b'), (3, 'c'); insert into u values (1);
--@ stream
insert into t values (4, 'd');
