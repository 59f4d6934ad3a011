-- Another sign between the parts of names.
--@ config {"topic.delimiter": "-"}
create table t (id int primary key, v text);
insert into t values (1, 'a');
--@ stream
insert into t values (2, 'b');
delete from t;
