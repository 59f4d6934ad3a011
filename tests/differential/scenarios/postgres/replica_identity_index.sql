-- An identity without the key's columns: Debezium takes the missing key for zero.
--@ differs keys-that-were-not-logged \.t 
create table t (id int primary key, a text not null, b int not null default 7, c text);
create unique index by_a on t (a, b);
alter table t replica identity using index by_a;
insert into t values (1, 'a', 1, 'c');
--@ stream
update t set c = 'b';
update t set a = 'b';
update t set id = 5;
delete from t;
