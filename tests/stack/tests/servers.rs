//! Each server starts, is killed, comes back on the same port with its data, and leaves nothing behind.

use stack::{
    ConnectOptions, KafkaOptions, PgVersion, PostgresOptions, Process, Program, RedisOptions,
    Result, SearchOptions, Server, Stack,
};

/// The server is killed and started again: another process, on the same port.
fn survives_a_kill(server: &Server) -> Result<()> {
    let (port, before) = (server.port(), running(server));
    server.kill9()?;
    assert!(!before.is_alive());
    assert_eq!(server.pid(), None);
    server.start()?;
    assert_eq!(server.port(), port);
    assert_ne!(server.process(), Some(before));
    Ok(())
}

fn running(server: &Server) -> Process {
    server.process().expect("the server runs")
}

fn all_gone(process: Process) {
    assert!(!process.is_alive(), "{process} is still there");
}

fn postgres_keeps_rows(version: PgVersion) -> Result<()> {
    let stack = Stack::new()?;
    let postgres = stack.postgres_with(PostgresOptions::new(version))?;
    assert!(
        postgres
            .psql("show server_version")?
            .starts_with(&version.to_string())
    );
    postgres.psql_as_cdc("create table t (id int primary key); insert into t values (1)")?;
    survives_a_kill(&postgres)?;
    assert_eq!(postgres.psql("select count(*) from t")?, "1\n");
    postgres.restart()?;
    let slot = "select slot_name from pg_create_logical_replication_slot('s', 'pgoutput')";
    assert_eq!(postgres.psql_as_cdc(slot)?, "s\n");
    let last = running(&postgres);
    drop((stack, postgres));
    all_gone(last);
    Ok(())
}

#[test]
fn postgres_15_keeps_its_rows() -> Result<()> {
    postgres_keeps_rows(PgVersion::V15)
}

#[test]
fn redis_keeps_its_keys() -> Result<()> {
    let stack = Stack::new()?;
    let redis = stack.redis_with(RedisOptions::default())?;
    redis.cli(&["SET", "k", "v"])?;
    redis.restart()?;
    assert_eq!(redis.cli(&["GET", "k"])?, "v\n");
    survives_a_kill(&redis)?;
    let last = running(&redis);
    drop((stack, redis));
    all_gone(last);
    Ok(())
}

#[test]
fn kafka_keeps_its_records() -> Result<()> {
    let stack = Stack::new()?;
    let kafka = stack.kafka_with(KafkaOptions::default().proxied())?;
    kafka.kcat_with(&["-P", "-t", "orders", "-K:"], b"k:v\n")?;
    survives_a_kill(&kafka)?;
    let proxy = kafka.proxy().expect("asked for");
    let through = ["-b", &proxy.address(), "-L", "-m", "2", "-X", "log_level=0"];
    assert!(kafka.kcat(&through)?.contains(&proxy.address()));
    proxy.cut();
    assert!(kafka.kcat(&through).is_err());
    assert_eq!(kafka.values("orders", 1)?, ["v"]);
    assert!(kafka.rss_mb()? > 50.0);
    let last = running(&kafka);
    drop((stack, kafka));
    all_gone(last);
    Ok(())
}

#[test]
fn postgres_18_keeps_its_rows() -> Result<()> {
    postgres_keeps_rows(PgVersion::V18)
}

#[test]
fn opensearch_keeps_its_documents() -> Result<()> {
    let stack = Stack::new()?;
    let search = stack.opensearch_with(SearchOptions::default())?;
    let put = search.request("PUT", "/orders/_doc/1?refresh=true", "{\"a\":1}")?;
    assert_eq!(put.status, 201, "{}", put.body);
    survives_a_kill(&search)?;
    let got = search.request("GET", "/orders/_doc/1", "")?;
    assert!(got.body.contains("\"found\":true"), "{}", got.body);
    let last = running(&search);
    drop((stack, search));
    all_gone(last);
    Ok(())
}

/// Debezium's first record of a row, and the worker's figures.
#[test]
fn kafka_connect_runs_debezium() -> Result<()> {
    let stack = Stack::new()?;
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    postgres
        .psql_as_cdc("create table orders (id int primary key); insert into orders values (7)")?;
    let kafka = stack.kafka_with(KafkaOptions::default())?;
    let connect = stack.connect(kafka.bootstrap(), ConnectOptions::default())?;
    let config = serde_json::json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": postgres.host(), "database.port": postgres.port().to_string(),
        "database.user": "postgres", "database.password": stack::PASSWORD,
        "database.dbname": stack::DATABASE, "topic.prefix": "shop", "plugin.name": "pgoutput",
    });
    connect.run_connector("orders", &config)?;
    let records = kafka.values("shop.public.orders", 1)?;
    assert!(records[0].contains("\"after\":{\"id\":7}"), "{records:?}");
    assert!(connect.cpu_seconds()? > 1.0);
    let last = running(&connect);
    drop((stack, connect));
    all_gone(last);
    Ok(())
}

#[test]
fn a_program_of_ours_is_run_like_a_server() -> Result<()> {
    let stack = Stack::new()?;
    let path = std::path::PathBuf::from("/bin/sleep");
    let server = stack.program(Program::new("sleeper", path).arg("600"))?;
    let first = running(&server);
    server.pause()?;
    server.resume()?;
    server.restart()?;
    all_gone(first);
    let last = running(&server);
    drop((stack, server));
    all_gone(last);
    Ok(())
}

#[test]
fn postgres_offers_tls() -> Result<()> {
    let stack = Stack::new()?;
    let postgres =
        stack.postgres_with(PostgresOptions::new(PgVersion::V15).set("work_mem", "5MB"))?;
    let url = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        postgres.cdc_url(),
        postgres.ca_path()?.display()
    );
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid(); show work_mem";
    assert_eq!(postgres.psql_at(&url, sql)?, "t\n5MB\n");
    Ok(())
}

/// A schema is there after a restart, and over TLS as in the clear.
#[test]
fn the_schema_registry_keeps_what_it_is_given() -> Result<()> {
    let stack = Stack::new()?;
    let registry = stack.schema_registry_of_its_own()?;
    let body = serde_json::json!({"schema": "\"string\""}).to_string();
    let answer = registry.request("POST", "/subjects/orders-value/versions", &body)?;
    assert_eq!(answer.status, 200, "{answer:?}");
    registry.restart()?;
    let subjects = registry.request("GET", "/subjects", "")?.body;
    assert_eq!(subjects, "[\"orders-value\"]");
    let last = running(&registry);
    drop((stack, registry));
    all_gone(last);
    Ok(())
}

#[test]
fn python_has_the_readers() -> Result<()> {
    let script = "import sys, fastavro, jsonschema, google.protobuf, grpc_tools.protoc\n\
                  print(sys.stdin.read()[::-1])";
    assert_eq!(stack::python_reader(script, b"abc")?, "cba\n");
    Ok(())
}
