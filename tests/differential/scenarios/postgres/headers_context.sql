-- The headers that say where a record comes from, which are on by default.
--@ differs context-headers headers$
--@ config {"extended.headers.enabled": "true"}
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
update t set v = 'b';
update t set id = 2;
delete from t;
