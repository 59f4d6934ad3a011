-- Replica identities that the connector sets.
--@ config {"replica.identity.autoset.values": "public.full:FULL,public.(by_index):INDEX by_index_v,public.same:DEFAULT"}
create table "full" (id int primary key, v text); create table by_index (id int primary key, v text not null); create unique index by_index_v on by_index (v);
create table same (id int primary key, v text); create table other (id int primary key, v text); alter table other replica identity full;
insert into "full" values (1, 'a'); insert into same values (1, 'a'); insert into other values (1, 'a');
--@ stream
update "full" set v = 'b'; delete from "full"; update same set v = 'b'; delete from same; update other set v = 'b'; delete from other;
