-- MariaDB's own types.
--@ servers mariadb
create table t (id int primary key, u uuid, a inet6, b inet4, un uuid not null default '123e4567-e89b-12d3-a456-426655440000');
insert into t values (1, '123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '192.0.2.1', default), (2, null, null, null, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
--@ stream
insert into t values (11, '123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '192.0.2.1', default), (12, null, null, null, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), (13, '01234567-89ab-7def-8123-456789abcdef', '::', '0.0.0.0', '00000000-0000-0000-0000-000000000001'), (14, null, '::ffff:192.0.2.1', '255.255.255.255', default);
update t set u = null where id = 1;
