-- Chunks of TimescaleDB in the topics of their hypertables and continuous aggregates. The extension is not there: its catalog is made by hand.
--@ differs(default,schemas,chosen) chunks-of-timescaledb _hyper_\d+_\d+_chunk headers
--@ differs(default,schemas,chained) chunks-of-timescaledb (rekeyed|_hyper_4_6_chunk)
--@ config {"schema.include.list": "public,_timescaledb_internal,pieces", "transforms.t.type": "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb", "transforms.t.target.topic.prefix": "${run}", "transforms.t.database.hostname": "${database.hostname}", "transforms.t.database.port": "${database.port}", "transforms.t.database.user": "${database.user}", "transforms.t.database.password": "${database.password}", "transforms.t.database.dbname": "${database.dbname}"}
--@ variant default {"transforms": "t"}
--@ variant schemas {"transforms": "t", "transforms.t.schema.list": "pieces, _timescaledb_internal", "transforms.t.target.topic.prefix": "${run}.ts"}
--@ variant chained {"transforms": "h,t,u", "transforms.h.type": "org.apache.kafka.connect.transforms.InsertHeader", "transforms.h.header": "origin", "transforms.h.value.literal": "here", "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.add.fields": "op,source.schema,source.table", "transforms.u.add.headers": "source.table", "transforms.u.delete.tombstone.handling.mode": "rewrite"}
--@ variant chosen {"transforms": "t", "transforms.t.predicate": "first", "predicates": "first", "predicates.first.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.first.pattern": ".*_hyper_1_.*"}
create schema _timescaledb_catalog;
create table _timescaledb_catalog.hypertable (id serial primary key, schema_name name not null, table_name name not null,
  associated_schema_name name not null, associated_table_prefix name not null, num_dimensions smallint not null,
  chunk_sizing_func_schema name not null, chunk_sizing_func_name name not null, chunk_target_size bigint not null,
  compression_state smallint not null default 0, compressed_hypertable_id int, status int not null default 0, unique (table_name, schema_name));
create table _timescaledb_catalog.chunk (id serial primary key, hypertable_id int not null references _timescaledb_catalog.hypertable (id),
  schema_name name not null, table_name name not null, compressed_chunk_id int, dropped boolean not null default false,
  status int not null default 0, osm_chunk boolean not null default false, creation_time timestamptz not null default now(),
  unique (schema_name, table_name));
create table _timescaledb_catalog.continuous_agg (mat_hypertable_id int primary key references _timescaledb_catalog.hypertable (id),
  raw_hypertable_id int not null, parent_mat_hypertable_id int, user_view_schema name not null, user_view_name name not null,
  partial_view_schema name not null, partial_view_name name not null, direct_view_schema name not null, direct_view_name name not null,
  materialized_only bool not null default false, finalized bool not null default true, unique (user_view_schema, user_view_name));
create schema _timescaledb_internal;
create schema pieces;
create table conditions (time timestamptz not null, place text not null, temperature double precision, primary key (time, place));
create table _timescaledb_internal._materialized_hypertable_2 (bucket timestamptz, place text, mean double precision);
create table "Odd" (id int primary key, v text);
insert into _timescaledb_catalog.hypertable values
  (1, 'public', 'conditions', '_timescaledb_internal', '_hyper_1', 1, '_timescaledb_functions', 'calculate_chunk_interval', 0),
  (2, '_timescaledb_internal', '_materialized_hypertable_2', '_timescaledb_internal', '_hyper_2', 1, '_timescaledb_functions', 'calculate_chunk_interval', 0),
  (3, 'public', 'Odd', 'pieces', 'piece_3', 1, '_timescaledb_functions', 'calculate_chunk_interval', 0);
insert into _timescaledb_catalog.continuous_agg values (2, 1, null, 'public', 'conditions_daily',
  '_timescaledb_internal', '_partial_view_2', '_timescaledb_internal', '_direct_view_2');
create table _timescaledb_internal._hyper_1_1_chunk (primary key (time, place)) inherits (conditions);
create table _timescaledb_internal._hyper_2_2_chunk () inherits (_timescaledb_internal._materialized_hypertable_2);
create table pieces."piece's_3_3" (primary key (id)) inherits ("Odd");
create table _timescaledb_internal._hyper_9_9_chunk (id int primary key);
alter table _timescaledb_internal._hyper_2_2_chunk replica identity full;
insert into _timescaledb_catalog.chunk values (1, 1, '_timescaledb_internal', '_hyper_1_1_chunk'),
  (2, 2, '_timescaledb_internal', '_hyper_2_2_chunk'), (3, 3, 'pieces', 'piece''s_3_3');
create table rekeyed (id int primary key);
insert into _timescaledb_catalog.hypertable values
  (4, 'public', 'rekeyed', '_timescaledb_internal', '_hyper_4', 1, '_timescaledb_functions', 'calculate_chunk_interval', 0);
create table _timescaledb_internal._hyper_4_6_chunk (primary key (id)) inherits (rekeyed);
insert into _timescaledb_catalog.chunk values (6, 4, '_timescaledb_internal', '_hyper_4_6_chunk');
insert into _timescaledb_internal._hyper_4_6_chunk values (1);
create table other (id int primary key, v text);
insert into _timescaledb_internal._hyper_1_1_chunk values ('2026-01-01 00:00Z', 'a', 1.5), ('2026-01-01 01:00Z', 'b', null);
insert into _timescaledb_internal._hyper_2_2_chunk values ('2026-01-01 00:00Z', 'a', 1.5);
insert into pieces."piece's_3_3" values (1, 'x');
insert into _timescaledb_internal._hyper_9_9_chunk values (1);
insert into other values (1, 'o');
--@ stream
begin;
create table _timescaledb_internal._hyper_1_4_chunk (primary key (time, place)) inherits (conditions);
insert into _timescaledb_catalog.chunk values (4, 1, '_timescaledb_internal', '_hyper_1_4_chunk');
insert into _timescaledb_internal._hyper_1_4_chunk values ('2026-02-01 00:00Z', 'a', 2.5);
commit;
update _timescaledb_internal._hyper_1_1_chunk set temperature = 3 where place = 'a';
update _timescaledb_internal._hyper_4_6_chunk set id = 2;
delete from _timescaledb_internal._hyper_1_1_chunk where place = 'a';
update _timescaledb_internal._hyper_2_2_chunk set mean = 4;
delete from _timescaledb_internal._hyper_2_2_chunk;
insert into pieces."piece's_3_3" values (2, 'y');
insert into _timescaledb_internal._hyper_9_9_chunk values (2);
insert into other values (2, 'p');
--@ stream
update _timescaledb_catalog.hypertable set table_name = 'renamed' where id = 1;
update _timescaledb_catalog.continuous_agg set user_view_name = 'renamed_daily';
create table _timescaledb_internal._hyper_1_5_chunk (primary key (time, place)) inherits (conditions);
insert into _timescaledb_catalog.chunk values (5, 1, '_timescaledb_internal', '_hyper_1_5_chunk');
insert into _timescaledb_internal._hyper_1_5_chunk values ('2026-03-01 00:00Z', 'a', 5.5);
--@ stream
insert into _timescaledb_internal._hyper_1_4_chunk values ('2026-02-02 00:00Z', 'a', 2.5);
insert into _timescaledb_internal._hyper_2_2_chunk values ('2026-03-01 00:00Z', 'a', 5.5);
--@ stopped
insert into _timescaledb_internal._hyper_1_4_chunk values ('2026-02-03 00:00Z', 'a', 2.5);
