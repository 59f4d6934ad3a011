-- Hidden columns of keys.
--@ config {"column.mask.with.5.chars": "public.t.id", "column.mask.hash.v2.MD5.with.salt.x": "public.u.id"}
create table t (id varchar(10) primary key, v text);
create table u (id varchar(10) primary key, v text);
insert into t values ('one', 'a'); insert into u values ('one', 'a');
--@ stream
insert into t values ('two', 'a'); insert into u values ('two', 'a');
update t set v = 'b';
delete from u;
