-- Addresses.
create table t (id serial primary key, i inet, c cidr, m macaddr, m8 macaddr8, ia inet[], ca cidr[], ma macaddr[], m8a macaddr8[]);
insert into t (i, c, m, m8, ia, ca, ma, m8a) values ('192.168.1.1', '192.168.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '{192.168.1.1/24,::1}', '{10.0.0.0/8}', '{08:00:2b:01:02:03}', '{08:00:2b:01:02:03:04:05}');
--@ stream
insert into t (i, c, m, m8) values ('192.168.1.1/24', '10/8', '08-00-2b-01-02-03', '08002b0102030405'), ('::ffff:1.2.3.4', '2001:db8::/32', null, null), ('fe80::1/64', '::/0', null, null), (null, null, null, null);
