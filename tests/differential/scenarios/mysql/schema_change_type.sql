-- Columns of another type, name, charset and place. A key that is modified without NOT NULL is required all the same; Debezium
-- says that it is optional until the connector is made anew, so that the words stand here.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
alter table t modify v text;
insert into t values (3, repeat('x', 300));
alter table t modify column id bigint not null, modify v varchar(400) not null default 'd';
insert into t (id) values (5000000000);
alter table t change v renamed varchar(500) character set latin1;
insert into t values (5, 'ä');
alter table t modify id bigint unsigned not null auto_increment;
insert into t (renamed) values ('auto');
alter table t rename column renamed to again;
insert into t values (7, 'again');
alter table t modify again varchar(500) first;
insert into t values ('first', 8);
