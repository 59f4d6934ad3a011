-- Tables that come after the start.
create table t (id int primary key);
--@ stream
create table u (id serial primary key, v text not null default 'x', n numeric(5,2));
insert into u (n) values (1.5);
create table "With Space" (id int primary key);
insert into "With Space" values (1);
--@ then
drop table u;
create table u (id text primary key);
insert into u values ('a');
