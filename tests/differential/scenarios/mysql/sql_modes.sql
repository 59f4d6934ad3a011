-- Statements under other modes of the server.
create table t (id int primary key, v varchar(20));
insert into t values (1, 'a');
--@ stream
set sql_mode = 'ansi_quotes,no_backslash_escapes,pipes_as_concat';
create table born (id int primary key, v varchar(20) default 'back\slash');
insert into "born" ("id") values (1);
alter table t add column w varchar(10) default 'x';
insert into t values (2, 'b' || 'c', 'it''s');
