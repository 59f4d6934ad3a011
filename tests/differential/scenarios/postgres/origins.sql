-- Changes that another server made first.
create table t (id int primary key, v text);
--@ stream
select pg_replication_origin_create('${run}_elsewhere');
select pg_replication_origin_session_setup('${run}_elsewhere');
begin; select pg_replication_origin_xact_setup('0/AABBCC', '2026-01-01 00:00+00'); insert into t values (1, 'a'); insert into t values (2, 'a'); commit;
insert into t values (3, 'b');
select pg_replication_origin_session_reset();
insert into t values (4, 'c');
select pg_replication_origin_drop('${run}_elsewhere');
