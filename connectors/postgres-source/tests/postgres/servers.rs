//! Servers that restart, networks that break, TLS in every mode, wrong passwords, checks.

use std::time::Duration;

use connect_core::{Config, Finding, SourceConnector, Verdict};
use postgres_source::{PostgresConfig, PostgresSource};
use stack::{PgVersion, PostgresOptions, Proxy, Stack};

use crate::harness::{Database, ops};

const STREAM: &[(&str, &str)] = &[("snapshot.mode", "no_data")];

#[tokio::test]
async fn a_restarted_server_is_a_retry_and_loses_nothing() {
    let stack = Stack::new().unwrap();
    let db = Database::on(
        stack
            .postgres_with(PostgresOptions::new(PgVersion::V15))
            .unwrap(),
    );
    db.sql("create table t (id int primary key)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t values (1)");
    source.take(1).await;
    db.sql("insert into t values (2)");
    db.server.kill9().unwrap();
    let error = loop {
        match source.poll().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.code().name, error.verdict()),
        ("postgres.connection", Verdict::Retry)
    );
    let refused = db
        .try_open(STREAM, source.position.clone())
        .await
        .err()
        .unwrap();
    assert_eq!(refused.verdict(), Verdict::Retry);
    db.server.start().unwrap();
    let position = source.position.clone();
    let mut source = db.open(STREAM, position).await;
    db.sql("insert into t values (3)");
    let events = source
        .take_until(|events| events.iter().any(|e| e.key["id"] == 3))
        .await;
    assert!(ops(&events).starts_with("c"));
    source.close().await;
}

#[tokio::test]
async fn a_dead_network_is_noticed() {
    let db = Database::new(PgVersion::V15);
    let proxy = Proxy::to(&format!("127.0.0.1:{}", db.server.port())).unwrap();
    let port = proxy.port().to_string();
    let more = [
        ("snapshot.mode", "no_data"),
        ("database.port", &*port),
        ("status.update.interval.ms", "200"),
    ];
    let mut source = db.open(&more, None).await;
    source.poll().await.unwrap();
    proxy.stall();
    let error = loop {
        match source.poll().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.code().name, "postgres.connection");
    proxy.cut();
    drop(source);
}

#[tokio::test]
async fn a_server_that_stops_is_not_held_up() {
    let stack = Stack::new().unwrap();
    let db = Database::on(
        stack
            .postgres_with(PostgresOptions::new(PgVersion::V18))
            .unwrap(),
    );
    db.sql("create table t (id int primary key)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t values (1)");
    source.take(1).await;
    let server = db.server.clone();
    let stopper = std::thread::spawn(move || server.stop());
    // The runtime goes on storing positions while the server waits for its last words to be confirmed.
    while source.poll().await.is_ok() {
        source.make_durable();
    }
    stopper.join().unwrap().unwrap();
    db.server.start().unwrap();
}

#[tokio::test]
async fn tls_in_every_mode() {
    let db = Database::new(PgVersion::V15);
    let ca = db.server.ca_path().unwrap();
    let (ca, tls) = (ca.to_str().unwrap(), stack::certificates().unwrap());
    let (cert, key) = (tls.join("client.pem"), tls.join("client.key"));
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let encrypted = format!(
        "select s.ssl from pg_stat_replication r join pg_stat_ssl s using (pid) \
         join pg_replication_slots l on l.active_pid = r.pid where l.slot_name = '{}'",
        db.name
    );
    let mut position = None;
    for (mode, expected, more) in [
        ("disable", "f", &[][..]),
        ("allow", "f", &[]),
        ("prefer", "t", &[]),
        (
            "require",
            "t",
            &[("database.sslcert", cert), ("database.sslkey", key)],
        ),
        ("verify-ca", "t", &[("database.sslrootcert", ca)]),
        (
            "verify-full",
            "t",
            &[
                ("database.sslrootcert", ca),
                ("database.hostname", "localhost"),
            ],
        ),
    ] {
        let mut all = vec![("snapshot.mode", "no_data"), ("database.sslmode", mode)];
        all.extend_from_slice(more);
        let mut source = db.open(&all, position).await;
        source.poll().await.unwrap();
        assert_eq!(db.sql(&encrypted).trim(), expected, "{mode}");
        db.sql(
            "create table if not exists t (id serial primary key); insert into t default values",
        );
        source.take(1).await;
        position = source.close().await;
    }
}

#[tokio::test]
async fn a_server_that_no_authority_vouches_for_is_refused() {
    let db = Database::new(PgVersion::V15);
    let cert = stack::certificates().unwrap().join("client.pem");
    let cert = cert.to_str().unwrap();
    // An authority that does not know the server.
    let other = [
        ("database.sslmode", "verify-ca"),
        ("database.sslrootcert", cert),
    ];
    let error = db.try_open(&other, None).await.err().unwrap();
    assert_eq!(
        (error.code().name, error.verdict()),
        ("postgres.tls", Verdict::Fail)
    );
    let unknown = [("database.sslmode", "verify-full")];
    assert_eq!(
        db.try_open(&unknown, None).await.err().unwrap().code().name,
        "postgres.tls"
    );
}

#[tokio::test]
async fn every_password_method() {
    let db = Database::new(PgVersion::V15);
    let error = db
        .try_open(&[("database.password", "wrong")], None)
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.code().name, error.verdict()),
        ("postgres.authentication", Verdict::Fail)
    );
    assert!(!error.report().contains("wrong"), "Invariant 7");
    let error = db
        .try_open(&[("database.dbname", "nonsense")], None)
        .await
        .err()
        .unwrap();
    assert_eq!(error.verdict(), Verdict::Fail, "{error}");
    let error = db
        .try_open(&[("database.port", "1")], None)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code().name, "postgres.connection");

    let stack = Stack::new().unwrap();
    let server = stack
        .postgres_with(PostgresOptions::new(PgVersion::V15))
        .unwrap();
    let db = Database::on(server.clone());
    server
        .psql("set password_encryption = md5; create role old superuser login replication password 'cdc';
               create role plain superuser login replication password 'cdc'")
        .unwrap();
    let hba = server.psql("show hba_file").unwrap();
    let lines = "host all old 127.0.0.1/32 md5\\nhost replication old 127.0.0.1/32 md5\\n\
                 host all plain 127.0.0.1/32 password\\nhost all all 127.0.0.1/32 scram-sha-256\\n\
                 host replication all 127.0.0.1/32 scram-sha-256\\n";
    server
        .psql(&format!(
            "copy (select 1) to program $$cat > /dev/null; printf '{lines}' > {}$$; select pg_reload_conf()",
            hba.trim()
        ))
        .unwrap();
    for user in ["old", "plain"] {
        let config = PostgresConfig::parse(&db.properties(&[("database.user", user)])).unwrap();
        let findings = PostgresSource::check(&config).await;
        assert!(
            !findings.iter().any(Finding::is_error),
            "{user}: {findings:?}"
        );
    }
}

#[tokio::test]
async fn a_server_without_logical_wal_says_so() {
    let stack = Stack::new().unwrap();
    let options = PostgresOptions::new(PgVersion::V15).set("wal_level", "replica");
    let db = Database::on(stack.postgres_with(options).unwrap());
    let opened = tokio::time::timeout(Duration::from_secs(60), db.try_open(&[], None)).await;
    let error = opened.unwrap().err().unwrap();
    assert_eq!(error.code().name, "postgres.wal_level");
}
