-- pgvector: dense, half and sparse vectors, and arrays of them.
--@ servers 18
--@ differs arrays-of-sparse-vectors value\.payload\.(after|before)\.x
--@ needs extensions
create extension vector;
create table t (id serial primary key, v vector(3), o vector, h halfvec(3), s sparsevec(9), n vector(2) not null default '[7,8]', hn halfvec(2) not null default '[7,8]', av vector[], ah halfvec[], x sparsevec[], w int);
insert into t (v, o, h, s, av, ah, x) values ('[1,2.5,-3]', '[0.1,1e-10,3.4e38]', '[1,2.5,-3]', '{1:1.5,4:-2,9:3}/9', array['[1,2]'::vector, '[3]'], array['[1,2]'::halfvec], array['{1:2}/3'::sparsevec]);
--@ stream
insert into t (v, o, h, s, av, ah, x) values ('[1,2.5,-3]', '[0.1,1e-10,3.4e38]', '[1,2.5,-3]', '{1:1.5,4:-2,9:3}/9', array['[1,2]'::vector, '[3]'], array['[1,2]'::halfvec], array['{1:2}/3'::sparsevec]);
insert into t (v, h, s) values (null, null, null), ('[0,0,0]', '[0,0,65504]', '{}/9'), (null, null, '{1:1,2:2,3:3,4:4,5:5,6:6,7:7,8:8,9:9}/9');
update t set w = 2 where id = 1;
delete from t where id = 1;
