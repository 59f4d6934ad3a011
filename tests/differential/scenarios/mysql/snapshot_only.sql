-- A snapshot that nothing follows.
--@ config {"snapshot.mode": "initial_only"}
--@ ends snapshot
create table t (id int primary key, v varchar(10)); create table bare (id int primary key); create table u (id int primary key);
insert into t values (1, 'a'), (2, 'b'), (3, 'c'); insert into u values (1);
