-- An enum that gets labels while it is streamed.
--@ differs labels-of-enums parameters.allowed$
create type mood as enum ('sad', 'happy');
create table t (id serial primary key, e mood);
insert into t (e) values ('sad');
--@ stream
insert into t (e) values ('happy');
--@ then
alter type mood add value 'ok' before 'happy';
alter table t add column v int;
--@ then
insert into t (e) values ('ok');
