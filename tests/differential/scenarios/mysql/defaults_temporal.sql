-- Defaults that are times, some of them now.
--@ differs(mariadb) words-for-now defaultValueExpression|born .*\.ts
--@ variant default {}
--@ variant connect {"time.precision.mode": "connect"}
create table t (id int primary key, d date default '2020-02-29', ti time default '12:34:56', t3 time(3) default '01:02:03.4', dt datetime default '2020-01-02 03:04:05', dt6 datetime(6) default '2020-01-02 03:04:05.678', ts timestamp default '2020-01-02 03:04:05',
  n datetime default current_timestamp, n6 datetime(6) not null default current_timestamp(6) on update current_timestamp(6), tsn timestamp default now(), tsu timestamp null on update current_timestamp, nn timestamp not null default current_timestamp);
set timestamp = 1700000000; set time_zone = '+00:00';
insert into t (id) values (1);
--@ stream
set timestamp = 1700000000.5; set time_zone = '+00:00';
insert into t (id) values (2);
create table born (id int primary key, d date default '2020-02-29', dt datetime(3) default current_timestamp(3), ts timestamp not null default localtime, tsd timestamp default '2020-01-02 03:04:05');
insert into born (id) values (1);
