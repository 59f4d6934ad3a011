-- Statements as people and tools write them.
create table t (id int primary key, v varchar(10));
insert into t values (1, 'a'), (2, 'b');
--@ stream
/* a comment */ alter table /* inside */ t add column a int -- at the end
;
# a comment of a line
ALTER TABLE `t` ADD COLUMN `b` INT NULL DEFAULT NULL COMMENT 'it''s; a "comment"' AFTER `id`;
insert into t values (3, 1, 'c', 2);
alter table t add key (v), add index named (a, b), comment = 'of the table';
alter table t engine = innodb; alter table t auto_increment = 100; alter table t row_format = dynamic;
analyze table t; optimize table t; check table t;
insert into t values (4, 1, 'd', 2);
alter table t alter column a set default 3; alter table t drop index named; alter table t add constraint chk check (id > 0);
insert into t (id) values (6);
flush tables;
