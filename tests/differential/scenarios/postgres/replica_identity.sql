-- What stands in `before`, and which key a delete has, with every identity.
create table identity_default (id int primary key, a text not null, b int not null default 7, c text, d timestamptz not null, e numeric(5,2) not null);
create table identity_full (like identity_default including all);
alter table identity_full replica identity full;
create table identity_nothing (like identity_default including all);
alter table identity_nothing replica identity nothing;
insert into identity_default values (1, 'a', 1, 'c', '2026-01-01 00:00:00+00', 1.5);
insert into identity_full values (1, 'a', 1, 'c', '2026-01-01 00:00:00+00', 1.5);
insert into identity_nothing values (1, 'a', 1, 'c', '2026-01-01 00:00:00+00', 1.5);
--@ stream
update identity_default set a = 'b';
update identity_full set a = 'b';
insert into identity_nothing values (2, 'a', 1, 'c', '2026-01-01 00:00:00+00', 1.5);
delete from identity_default;
delete from identity_full;
