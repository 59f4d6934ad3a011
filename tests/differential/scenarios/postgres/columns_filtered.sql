-- Columns in and out, also those of keys.
--@ differs filtered-key-columns \.u key
--@ variant include {"column.include.list": "public.t.(id|a),public.u.b"}
--@ variant exclude {"column.exclude.list": "public.t.b,.*\\.secret,public.u.id"}
create table t (id int primary key, a text, b text, secret text not null);
create table u (id int primary key, b text, c int);
alter table u replica identity full;
insert into t values (1, 'a', 'b', 's'); insert into u values (1, 'b', 2);
--@ stream
insert into t values (2, 'a', 'b', 's'); insert into u values (2, 'b', 2);
update t set secret = 'other'; update u set c = 3;
update t set id = id + 10;
delete from t; delete from u;
