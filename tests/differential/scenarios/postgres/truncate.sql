-- Truncates: left out by default, shown when asked for.
--@ variant default {}
--@ variant shown {"skipped.operations": "none"}
create table t (id int primary key, v text);
create table u (id int primary key references t);
create table nokey (v text);
insert into t values (1, 'a'); insert into u values (1); insert into nokey values ('a');
--@ stream
truncate nokey;
truncate t cascade;
insert into t values (2, 'b');
truncate t, u restart identity;
