-- Vectors.
--@ servers mysql
create table t (id int primary key, v vector(3), d vector);
insert into t values (1, string_to_vector('[1,2,3]'), string_to_vector('[0.1,-0.1]')), (2, null, null);
--@ stream
insert into t values (11, string_to_vector('[1,2,3]'), string_to_vector('[0.1,-0.1]')), (12, null, null), (13, string_to_vector('[1e-3,1e30,-0]'), string_to_vector('[16777217]'));
update t set v = string_to_vector('[9,8,7]') where id = 1;
alter table t add column w vector(2);
insert into t values (21, null, null, string_to_vector('[1,2]'));
