//! Settings of the server, slots, and who has them.

use std::process::{Child, Command, Stdio};

use stack::{PgVersion, PostgresOptions, Stack};

use super::{check, mend, statement};
use crate::harness::Database;

/// Another program that reads a slot.
struct Reader(Child);

impl Reader {
    async fn new(db: &Database, slot: &str) -> Self {
        let url = db.server.url();
        let (base, _) = url.rsplit_once('/').unwrap();
        let child = Command::new(db.server.program("pg_recvlogical"))
            .args([
                "--start",
                "-f",
                "-",
                "-S",
                slot,
                "-d",
                &format!("{base}/{}", db.name),
            ])
            .args(["-o", "proto_version=1", "-o", "publication_names=p"])
            .stdout(Stdio::null())
            .spawn();
        let reader = Self(child.unwrap());
        let sql = format!("select active from pg_replication_slots where slot_name = '{slot}'");
        db.wait_until("somebody reads", || db.sql(&sql).trim() == "t")
            .await;
        reader
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All that is wrong with a server comes in one answer; the statements mend it.
async fn a_server_that_is_not_prepared(version: PgVersion) {
    let stack = Stack::new().unwrap();
    let options = PostgresOptions::new(version)
        .set("wal_level", "replica")
        .set("max_replication_slots", "1")
        .set("max_wal_senders", "1");
    let db = Database::on(stack.postgres_with(options).unwrap());
    db.sql(
        "create table t (id int primary key); select pg_create_physical_replication_slot('unused')",
    );
    let mut receiver = Command::new(db.server.program("pg_receivewal"));
    let folder = tempfile::tempdir().unwrap();
    receiver
        .arg("-D")
        .arg(folder.path())
        .args(["-d", &db.server.url()]);
    let receiver = Reader(receiver.stderr(Stdio::null()).spawn().unwrap());
    let busy = "select count(*) from pg_stat_replication";
    db.wait_until("the sender is busy", || db.sql(busy).trim() == "1")
        .await;

    let findings = check(&db, &[]).await;
    findings.error("database.hostname", "wal_level is replica");
    findings.error("slot.name", "All WAL senders of the server are busy");
    let slots = findings.error("slot.name", "all replication slots of the server are taken");
    assert!(
        slots
            .message
            .contains("`SELECT pg_drop_replication_slot('unused')`"),
        "{slots:?}"
    );
    assert_eq!(findings.0.len(), 3, "{findings:#?}");
    mend(&db, &findings);
    drop(receiver);
    db.server.stop().unwrap();
    db.server.start().unwrap();
    assert!(check(&db, &[]).await.are_none());
    db.open(&[], None).await.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_prepared_15() {
    Box::pin(a_server_that_is_not_prepared(PgVersion::V15)).await;
}

#[tokio::test]
async fn a_server_that_is_not_prepared_18() {
    Box::pin(a_server_that_is_not_prepared(PgVersion::V18)).await;
}

async fn slots_of_others(version: PgVersion) {
    let db = Database::new(version);
    db.sql("create table t (id int primary key); create publication p for table t");
    let other = Database::new(version);
    let slot = db.name.as_str();
    let make =
        |plugin: &str| format!("select pg_create_logical_replication_slot('{slot}', '{plugin}')");
    for (made_in, plugin) in [(&db, "test_decoding"), (&other, "pgoutput")] {
        made_in.sql(&make(plugin));
        let findings = check(&db, &[]).await;
        let told = findings.error("slot.name", "belongs to another plugin or database");
        assert_eq!(
            statement(told),
            format!("SELECT pg_drop_replication_slot('{slot}')")
        );
        made_in.sql(statement(told));
        assert!(check(&db, &[]).await.are_none());
    }

    db.sql(&make("pgoutput"));
    let reader = Reader::new(&db, slot).await;
    let findings = check(&db, &[]).await;
    let told = findings.error("slot.name", "\"pg_recvlogical\" (process ");
    assert!(statement(told).starts_with("SELECT pg_terminate_backend("));
    drop(reader);
    assert!(check(&db, &[]).await.are_none());

    // What reads it may be this connector, whose configuration is to be changed.
    let source = db.open(&[], None).await;
    let findings = check(&db, &[]).await;
    findings.warning(
        "slot.name",
        "reads the slot at this moment, perhaps this one",
    );
    assert_eq!(findings.0.len(), 1, "{findings:?}");
    let findings = check(&db, &[("topic.prefix", "another")]).await;
    findings.error("slot.name", "\"tidewater t\" (process ");
    source.close().await;
}

#[tokio::test]
async fn slots_of_others_15() {
    Box::pin(slots_of_others(PgVersion::V15)).await;
}

#[tokio::test]
async fn slots_of_others_18() {
    Box::pin(slots_of_others(PgVersion::V18)).await;
}
