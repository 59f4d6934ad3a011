-- Keys of one's own choosing.
--@ config {"message.key.columns": "public.t:b,a;public.(x|y):v"}
create table t (id int primary key, a text not null, b int not null, c text);
create table x (id int primary key, v text);
create table y (v text, w int);
create table z (id int primary key, v text);
alter table t replica identity full; alter table x replica identity full; alter table y replica identity full;
insert into t values (1, 'a', 2, 'c'); insert into x values (1, 'v'); insert into y values ('v', 1); insert into z values (1, 'v');
--@ stream
insert into t values (2, 'a', 2, 'c'); insert into x values (2, null); insert into y values (null, 1); insert into z values (2, 'v');
update t set c = 'd' where id = 1;
update t set a = 'b' where id = 1;
update t set id = 7 where id = 1;
update x set v = 'w';
delete from t; delete from x; delete from y; delete from z;
