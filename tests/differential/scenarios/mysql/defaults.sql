-- Defaults of every type, in schemas of a snapshot and of the stream.
--@ differs(mariadb) defaults-in-hex fields\.h fields
--@ differs escapes-in-defaults fields\.v\.default|fields\.h\.default|columns\.9\.default
--@ differs booleans-of-statements own value\..*\.bo(\.|$)
--@ differs(mysql) quotes-in-statements payload\.ddl
create table t (id int primary key, i int default 5, ti tinyint not null default -1, ui int unsigned default 4294967295, b bigint default -9223372036854775808, d decimal(10,3) default 1.5, f float default 0.5, dd double not null default 1e10,
  c char(5) default 'ab', v varchar(20) not null default 'it''s "q" \\ ü', n varchar(5) default null, nn varchar(5) default 'NULL', e enum('a','b') not null default 'b', s set('x','y') default 'x,y', bo boolean default true, y year default 2020, bt bit(3) default b'101', bare varchar(3) not null default '', zero int not null default 0);
insert into t (id) values (1);
--@ stream
insert into t (id) values (2);
insert into t values (3, null, 1, null, null, null, null, 1, null, 'x', 'y', null, 'a', null, null, null, null, 'z', 1);
create table born like t;
insert into born (id) values (1);
create table own (id int primary key, i int default 5, ui int unsigned default '7', d decimal(10,3) default 1.5, neg int default -5, v varchar(20) default "double", bo boolean default false, bt bit(1) default 1, e enum('a','b') default 'a', h varbinary(5) default 0x6162, f float default .5);
insert into own (id) values (1);
alter table own alter i set default 9, alter v drop default;
insert into own (id, v) values (2, 'x');
