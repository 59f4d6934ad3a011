-- Text search.
create table t (id serial primary key, v tsvector, q tsquery, va tsvector[]);
insert into t (v, q) values ('a fat cat', 'fat & cat');
--@ stream
insert into t (v, q) values (to_tsvector('english', 'The Fat Rats'), 'fat & !cat'), ('', null), (null, null);
