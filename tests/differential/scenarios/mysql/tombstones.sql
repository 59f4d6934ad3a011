-- Deletes with and without the null that follows, and truncation.
--@ variant default {}
--@ variant off {"tombstones.on.delete": "false"}
create table t (id int primary key, v varchar(20));
insert into t values (1, 'a'), (2, 'b');
--@ stream
insert into t values (3, 'c');
delete from t where id = 1;
delete from t;
