-- A table changed online: a copy that takes its place in one statement.
create table t (id int primary key auto_increment, v varchar(10));
insert into t (v) values ('a'), ('b'), ('c');
--@ stream
create /* gh-ost */ table _t_ghc (id bigint unsigned not null auto_increment, last_update timestamp not null default current_timestamp on update current_timestamp, hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null, primary key (id), unique key hint_uidx (hint)) auto_increment = 256;
create /* gh-ost */ table _t_gho like t;
alter /* gh-ost */ table _t_gho add column w int not null default 5;
set timestamp = 1700000000; insert /* gh-ost */ into _t_ghc (id, hint, value) values (2, 'state', 'migrating') on duplicate key update value = 'x';
insert /* gh-ost */ ignore into _t_gho (id, v) (select id, v from t force index (primary) where id >= 1 and id <= 2 lock in share mode);
insert into t (v) values ('while');
replace /* gh-ost */ into _t_gho (id, v) values (4, 'while');
insert /* gh-ost */ ignore into _t_gho (id, v) (select id, v from t where id > 2 lock in share mode);
create /* gh-ost */ table _t_del (id int auto_increment primary key) engine=innodb comment='ghost-cut-over-sentry';
drop /* gh-ost */ table _t_del;
rename /* gh-ost */ table t to _t_del, _t_gho to t;
insert into t (v, w) values ('after', 9);
update t set w = 6 where id = 1;
drop /* gh-ost */ table if exists _t_del, _t_ghc;
