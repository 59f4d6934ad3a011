-- MariaDB's vectors.
--@ servers 11.8
create table t (id int primary key, v vector(3), n vector(2) not null);
insert into t values (1, vec_fromtext('[1,2,3]'), vec_fromtext('[0.1,-0.1]'));
--@ stream
insert into t values (11, vec_fromtext('[1,2,3]'), vec_fromtext('[0.1,-0.1]')), (12, null, vec_fromtext('[1e-3,1e3]'));
update t set v = vec_fromtext('[9,8,7]') where id = 1;
