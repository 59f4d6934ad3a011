//! Debezium's `TimescaleDb`, when the catalog that it asks cannot answer. The extension is not there: its catalog is made by hand.
//! What the transform does to events is compared with Debezium in `tests/differential`.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{postgres_source, with},
    scene::SOURCE,
};
use serde_json::Value;
use stack::{
    DATABASE, PASSWORD, PgVersion, Postgres, PostgresOptions, Proxy, Stack, USER, wait_until,
};

const LIMIT: Duration = Duration::from_secs(30);
const CATALOG: &str = "create schema _timescaledb_catalog;
    create table _timescaledb_catalog.hypertable (id int primary key, schema_name name not null, table_name name not null);
    create table _timescaledb_catalog.chunk (id int primary key, hypertable_id int not null, schema_name name not null,
      table_name name not null);
    create table _timescaledb_catalog.continuous_agg (mat_hypertable_id int primary key, user_view_schema name not null,
      user_view_name name not null);
    grant usage on schema _timescaledb_catalog to public;
    grant select on all tables in schema _timescaledb_catalog to public;
    insert into _timescaledb_catalog.hypertable values (1, 'public', 'conditions');
    insert into _timescaledb_catalog.chunk values (1, 1, '_timescaledb_internal', '_hyper_1_1_chunk')";

/// A source of two chunks whose transform asks over TLS through a proxy.
fn config(postgres: &Postgres, proxy: &Proxy) -> Outcome<Value> {
    let ca = postgres.ca_path()?;
    let source = postgres_source(postgres, SOURCE, "_timescaledb_internal.*");
    let of = |name: &str| format!("transforms.t.{name}");
    let port = proxy.port().to_string();
    let more = [
        ("transforms".to_owned(), "t"),
        (
            of("type"),
            "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb",
        ),
        (of("target.topic.prefix"), "ts"),
        (of("database.hostname"), "localhost"),
        (of("database.port"), &port),
        (of("database.user"), USER),
        (of("database.password"), PASSWORD),
        (of("database.dbname"), DATABASE),
        (of("database.sslmode"), "verify-full"),
        (of("database.sslrootcert"), ca.to_str().ok_or("no text")?),
    ];
    let more: Vec<(&str, &str)> = more
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    Ok(with(source, &more))
}

/// Waits until a connector has written to a topic.
fn wait_for_topic(worker: &Worker, topic: &str) -> Outcome {
    let waited = wait_until(&format!("records in {topic}"), LIMIT, || {
        let topics = worker.rest().get(&format!("/connectors/{SOURCE}/topics"));
        let topics = topics.unwrap_or_default()[SOURCE]["topics"].clone();
        let all = topics.as_array().cloned().unwrap_or_default();
        Ok(all.iter().any(|one| one == topic))
    });
    waited.map_err(Into::into)
}

/// The ids that the records of a topic have.
fn ids(records: &[(String, String)]) -> Outcome<Vec<i64>> {
    let id = |(_, value): &(String, String)| -> Outcome<i64> {
        let value: Value = serde_json::from_str(value)?;
        Ok(value["after"]["id"].as_i64().ok_or("no id")?)
    };
    records.iter().map(id).collect()
}

#[test]
fn no_event_goes_astray_while_the_catalog_cannot_answer() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    postgres.psql(
        "create schema _timescaledb_internal;
         create table _timescaledb_internal._hyper_1_1_chunk (id int primary key);
         create table _timescaledb_internal._hyper_1_2_chunk (id int primary key);
         create table _timescaledb_internal._hyper_1_3_chunk (id int primary key);
         insert into _timescaledb_internal._hyper_1_1_chunk values (1);
         grant all on schema _timescaledb_internal to public;
         alter table _timescaledb_internal._hyper_1_1_chunk owner to cdc;
         alter table _timescaledb_internal._hyper_1_2_chunk owner to cdc;
         alter table _timescaledb_internal._hyper_1_3_chunk owner to cdc",
    )?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", postgres.port()))?;
    // What is sent again after trouble would hide what is sent twice.
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    let (rest, insert) = (worker.rest(), |chunk: i32, from: i32, to: i32| {
        postgres.psql(&format!(
            "insert into _timescaledb_internal._hyper_1_{chunk}_chunk select generate_series({from}, {to})"
        ))
    });
    rest.create(SOURCE, &config(&postgres, &proxy)?)?;
    // 1. There is no TimescaleDB.
    rest.wait_for_failure(SOURCE, "Failed to read TimescaleDB metadata")?;
    postgres.psql(CATALOG)?;
    rest.must("POST", &format!("/connectors/{SOURCE}/tasks/0/restart"))?;
    wait_for_topic(&worker, "ts.public.conditions")?;
    // 2. The database is away for the transform, and a chunk is new.
    proxy.cut();
    insert(1, 2, 2)?;
    insert(2, 3, 3)?;
    rest.wait_for_trouble(SOURCE, "Failed to read TimescaleDB metadata")?;
    postgres.psql("insert into _timescaledb_catalog.chunk values (2, 1, '_timescaledb_internal', '_hyper_1_2_chunk')")?;
    proxy.heal();
    rest.wait_for(SOURCE, "RUNNING")?;
    // 3. A chunk that is nobody's stays in its own topic, and the catalog is not asked for each of its records.
    insert(3, 1, 1)?;
    let own = format!("{SOURCE}._timescaledb_internal._hyper_1_3_chunk");
    wait_for_topic(&worker, &own)?;
    let asked = proxy.accepted();
    for id in 2..100 {
        insert(3, id, id)?;
    }
    insert(1, 4, 4)?;
    let end = postgres.psql("select pg_current_wal_lsn()")?;
    wait_until("all to be read", LIMIT, || {
        let sql = format!(
            "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{SOURCE}_slot'",
            end.trim()
        );
        Ok(postgres.psql(&sql)?.trim() == "t")
    })?;
    rest.stop(SOURCE)?;
    let more = proxy.accepted() - asked;
    worker.server().stop()?;
    assert_eq!(ids(&worker.read("ts.public.conditions")?)?, [1, 2, 3, 4]);
    assert_eq!(ids(&worker.read(&own)?)?, (1..100).collect::<Vec<i64>>());
    assert!(more < 20, "asked {more} times for 100 records");
    Ok(())
}
