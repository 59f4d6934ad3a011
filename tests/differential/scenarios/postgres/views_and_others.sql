-- What is no table, or none that is logged.
--@ differs unlogged-tables (\.u record|\.t value.payload.source.snapshot)$
create table t (id int primary key);
create view v as select * from t;
create materialized view m as select * from t;
create unlogged table u (id int primary key);
insert into t values (1); insert into u values (1);
--@ stream
insert into t values (2); insert into u values (2); refresh materialized view m;
