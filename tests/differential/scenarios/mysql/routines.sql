-- Views, functions, procedures, triggers and events, which are no tables.
create table t (id int primary key, v int); create table log (id int primary key auto_increment, v int);
insert into t values (1, 1);
--@ stream
create view vw as select id from t; create or replace view vw as select * from t;
delimiter //
create function f(a int) returns int deterministic begin return a + 1; end//
create procedure p(a int) begin insert into t values (a, f(a)); update t set v = 0 where id = a; end//
create trigger tr after insert on t for each row begin insert into log (v) values (new.v); end//
delimiter ;
call p(5); insert into t values (6, f(6)); insert into vw values (7, 7);
create event e on schedule every 1 day disable do insert into t values (99, 99);
drop event e; drop trigger tr; drop procedure p; drop function f; drop view vw;
insert into t values (8, 8);
