//! A task that is prepared while another one streams: it takes nothing from it, and needs nothing of what was prepared.

use std::collections::BTreeSet;

use connect_core::SourceTask;
use postgres_source::PostgresTask;
use stack::{PgVersion, PostgresOptions, Stack};

use crate::harness::{Database, PATIENCE, Source, ops};

const STREAMS: &[(&str, &str)] = &[("snapshot.mode", "no_data"), ("topic.prefix", "prepared")];

impl Database {
    /// The server's processes for connections of sources.
    fn sessions(&self) -> BTreeSet<String> {
        let sql = format!(
            "select pid from pg_stat_activity where datname = '{}' and application_name = 'tidewater prepared'",
            self.name
        );
        self.sql(&sql).lines().map(str::to_owned).collect()
    }

    /// The process that sends the slot's changes, if one does.
    fn sender(&self) -> String {
        let sql = format!(
            "select active_pid from pg_replication_slots where slot_name = '{}'",
            self.name
        );
        self.sql(&sql).trim().to_owned()
    }

    /// A source that streams.
    async fn streaming(&self) -> Source {
        self.sql("create table t (id int primary key)");
        let mut source = self.open(STREAMS, None).await;
        self.sql("insert into t values (0)");
        assert_eq!(ops(&source.take(1).await), "c");
        source.make_durable();
        source
    }

    /// Another task, prepared, and its processes.
    async fn prepared(&self) -> (PostgresTask, BTreeSet<String>) {
        let before = self.sessions();
        let mut task = self.task(STREAMS);
        let prepared = tokio::time::timeout(PATIENCE, task.prepare()).await;
        prepared.expect("prepare ends");
        let sessions = self.sessions().difference(&before).cloned().collect();
        (task, sessions)
    }

    /// The source streams on while the other one waits, and that one goes on behind its last row.
    async fn succeed(&self, mut source: Source, next: PostgresTask) -> Source {
        self.sql("insert into t values (1)");
        let events = source.take(1).await;
        assert_eq!(
            (ops(&events).as_str(), events[0].after()["id"].as_i64()),
            ("c", Some(1))
        );
        source.make_durable();
        let position = source.close().await;
        self.sql("insert into t values (2)");
        self.wait_until("the slot is free", || self.sender().is_empty())
            .await;
        let mut source = Source::open(next, position).await.unwrap();
        let events = source.take(1).await;
        assert_eq!(
            (events.len(), events[0].after()["id"].as_i64()),
            (1, Some(2))
        );
        source
    }
}

#[tokio::test]
async fn what_was_prepared_streams_where_the_other_stopped() {
    for version in [PgVersion::V15, PgVersion::V18] {
        let db = Database::new(version);
        let source = db.streaming().await;
        let sender = db.sender();
        let (next, sessions) = db.prepared().await;
        assert_eq!(sessions.len(), 2, "one for questions and one for the slot");
        assert_eq!(db.sender(), sender, "the slot is still the other one's");
        let source = db.succeed(source, next).await;
        assert!(
            sessions.contains(&db.sender()),
            "another connection streams"
        );
        let left = db.sessions();
        assert!(left.is_subset(&sessions), "{left:?} of {sessions:?}");
        source.close().await;
    }
}

#[tokio::test]
async fn the_server_decodes_little_again_if_it_may_be_asked_for_that() {
    let db = Database::new(PgVersion::V18);
    let user = stack::USER;
    db.sql(&format!(
        "grant execute on function pg_log_standby_snapshot() to {user}"
    ));
    let mut source = db.streaming().await;
    let here = db.sql("select pg_current_wal_insert_lsn()");
    let (next, _) = db.prepared().await;
    db.sql("insert into t values (3)");
    source.take(1).await;
    source.make_durable();
    let source = db.succeed(source, next).await;
    let (here, slot) = (here.trim(), &db.name);
    let sql = format!(
        "select restart_lsn >= '{here}'::pg_lsn from pg_replication_slots where slot_name = '{slot}'"
    );
    assert_eq!(db.sql(&sql).trim(), "t");
    source.close().await;
}

#[tokio::test]
async fn connections_that_have_died_meanwhile_are_opened_anew() {
    let db = Database::new(PgVersion::V15);
    let source = db.streaming().await;
    let (next, sessions) = db.prepared().await;
    let pids: Vec<&str> = sessions.iter().map(String::as_str).collect();
    let all = pids.join(", ");
    db.sql(&format!(
        "select pg_terminate_backend(pid) from unnest(array[{all}]) pid"
    ));
    db.wait_until("they are gone", || db.sessions().is_disjoint(&sessions))
        .await;
    let source = db.succeed(source, next).await;
    assert!(!db.sender().is_empty() && !sessions.contains(&db.sender()));
    source.close().await;
}

#[tokio::test]
async fn a_server_without_a_connection_to_spare_is_asked_again() {
    let stack = Stack::new().unwrap();
    let options = PostgresOptions::new(PgVersion::V15).set("max_wal_senders", "1");
    let db = Database::on(stack.postgres_with(options).unwrap());
    // Making a slot takes a connection of its own.
    let (slot, plugin) = (&db.name, "pgoutput");
    db.sql(&format!(
        "select pg_create_logical_replication_slot('{slot}', '{plugin}')"
    ));
    let source = db.streaming().await;
    let (next, sessions) = db.prepared().await;
    assert_eq!(sessions.len(), 1, "the only one for replication is in use");
    let source = db.succeed(source, next).await;
    assert!(!db.sender().is_empty());
    source.close().await;
}

#[tokio::test]
async fn a_server_that_refuses_is_no_error_until_the_task_is_opened() {
    let db = Database::new(PgVersion::V15);
    let source = db.streaming().await;
    let wrong: Vec<(&str, &str)> = STREAMS
        .iter()
        .copied()
        .chain([("database.password", "wrong")])
        .collect();
    let mut next = db.task(&wrong);
    next.prepare().await;
    let position = source.close().await;
    let error = Source::open(next, position).await.err().unwrap();
    assert_eq!(error.code().name, "postgres.authentication");
}
