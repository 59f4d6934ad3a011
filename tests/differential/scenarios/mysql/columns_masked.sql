-- Values hidden and shortened.
--@ variant stars {"column.mask.with.12.chars": "${run}.t.(v|t)", "column.mask.with.0.chars": "${run}.t.c"}
--@ variant truncate {"column.truncate.to.3.chars": "${run}.t.(v|t|c|j|b)"}
--@ variant hash {"column.mask.hash.SHA-256.with.salt.CzQMA0cB5K": "${run}.t.(v|t)"}
--@ variant hash_v2 {"column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K": "${run}.t.(v|t)"}
create table t (id int primary key, v varchar(20) not null, t text, c char(5), j json, i int, b varbinary(20));
insert into t values (1, 'secret', 'long secret', 'abcde', '{"a": 1}', 5, 0x0102030405), (2, '', null, 'ab', null, null, null), (3, 'äöü漢字🦀', 'ab', 'a', '[]', 1, 0x01);
--@ stream
insert into t values (11, 'secret', 'long secret', 'abcde', '{"a": 1}', 5, 0x0102030405), (12, '', null, 'ab', null, null, null), (13, 'äöü漢字🦀', 'ab', 'a', '[]', 1, 0x01);
update t set v = 'other' where id = 1;
delete from t where id = 1;
