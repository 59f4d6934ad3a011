-- Updates of keys.
create table t (id int primary key, v varchar(10)); create table c (a int, b int, v int, primary key (a, b)); create table u (a int not null unique, v int);
insert into t values (1, 'a'), (2, 'b'); insert into c values (1, 1, 1); insert into u values (1, 1);
--@ stream
update t set id = 10 where id = 1;
update t set id = id + 100 order by id desc;
update c set b = 2; update c set a = 5, b = 6, v = 7; update u set a = 9;
update t set id = 102 where id = 102;
begin; update t set id = 500 where id = 102; update t set id = 501 where id = 500; delete from t where id = 501; commit;
