-- Defaults in schemas: literals, expressions, casts, of columns that may be null and of those that may not.
create sequence s;
create type mood as enum ('sad', 'ok', 'happy');
create table t (
  id int primary key, i int default 1, inn int not null default 2, neg int default -5, big bigint default 9223372036854775807, sm smallint not null default 3,
  expr int default 1 + 1, par int default (7), f real default 1.5, d double precision not null default -2.25, n numeric(5,2) default 9.99, nn numeric not null default 1.50,
  b boolean default true, bn boolean not null default false, v varchar(10) default 'abc', vn text not null default 'it''s', ve text not null default '', c char(5) default 'ab', cast_text text default 'x'::varchar,
  nul text default null, con text default 'a' || 'b', fn text default upper('x'), u uuid default gen_random_uuid(), un uuid not null default 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  seq int default nextval('s'), seqn bigint not null default nextval('s'), e mood default 'ok', en mood not null default 'happy', j json default '{"a":1}', jb jsonb not null default '[]', x xml default '<a/>', usr text default current_user);
insert into t (id) values (1);
--@ stream
insert into t (id, u, usr) values (2, null, null);
update t set i = null, n = null, b = null, v = null where id = 2;
delete from t;
