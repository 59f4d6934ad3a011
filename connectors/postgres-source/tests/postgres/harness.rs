//! A database, a task on it, and its records as JSON.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use connect_core::{
    Advance, Batch, Config, Datum, Error, Position, Properties, SourceConnector, SourceTask, Start,
    TaskPlan, Value, batch::Row, meter::Meter, outside::Outside, watermark::watermark,
};
use postgres_source::{PostgresConfig, PostgresSource, PostgresTask};
use serde_json::{Map, json};
use stack::{PgVersion, Postgres, Stack};
use tokio::time::{Instant, timeout_at};

/// Long enough for a machine that is busy with everything else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The server of a version, started once for all tests.
pub(crate) fn server(version: PgVersion) -> &'static Postgres {
    static STACK: OnceLock<Stack> = OnceLock::new();
    static V15: OnceLock<Postgres> = OnceLock::new();
    static V18: OnceLock<Postgres> = OnceLock::new();
    let stack = STACK.get_or_init(|| Stack::new().unwrap());
    let cell = match version {
        PgVersion::V15 => &V15,
        PgVersion::V18 => &V18,
    };
    cell.get_or_init(|| stack.postgres(version).unwrap())
}

/// A database of its own, with a slot and a publication of its own.
pub(crate) struct Database {
    pub server: Postgres,
    pub name: String,
}

impl Database {
    pub(crate) fn new(version: PgVersion) -> Self {
        Self::on(server(version).clone())
    }

    pub(crate) fn on(server: Postgres) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("db_{}_{count}", std::process::id());
        server.psql(&format!("create database {name}")).unwrap();
        Self { server, name }
    }

    /// Runs SQL as the superuser.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let url = self.server.url();
        let (base, _) = url.rsplit_once('/').unwrap();
        self.server
            .psql_at(&format!("{base}/{}", self.name), sql)
            .unwrap()
    }

    /// The properties of a connector, `more` over them.
    pub(crate) fn properties(&self, more: &[(&str, &str)]) -> Properties {
        let port = self.server.port().to_string();
        let base = [
            ("topic.prefix", "t"),
            ("database.hostname", "127.0.0.1"),
            ("database.port", &port),
            ("database.user", "postgres"),
            ("database.password", stack::PASSWORD),
            ("database.dbname", &self.name),
            ("slot.name", &self.name),
            ("status.update.interval.ms", "1000"),
        ];
        let all = base.iter().chain(more);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// A task that was opened at a position.
    pub(crate) async fn open(&self, more: &[(&str, &str)], stored: Option<Position>) -> Source {
        self.try_open(more, stored).await.unwrap()
    }

    pub(crate) async fn try_open(
        &self,
        more: &[(&str, &str)],
        stored: Option<Position>,
    ) -> Result<Source, Error> {
        Source::open(self.task(more), stored).await
    }

    /// A task that is not open.
    pub(crate) fn task(&self, more: &[(&str, &str)]) -> PostgresTask {
        let config = PostgresConfig::parse(&self.properties(more)).unwrap();
        PostgresSource::task(config, TaskPlan::new()).unwrap()
    }

    /// What the server thinks was confirmed, and the end of its log.
    pub(crate) fn confirmed_and_end(&self) -> (u64, u64) {
        let sql = format!(
            "select confirmed_flush_lsn - '0/0', pg_current_wal_flush_lsn() - '0/0' \
             from pg_replication_slots where slot_name = '{}'",
            self.name
        );
        let answer = self.sql(&sql);
        let (confirmed, end) = answer.trim().split_once('|').unwrap();
        (confirmed.parse().unwrap(), end.parse().unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.server.psql(&format!(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{name}' and active;
             do $$ begin for i in 1..100 loop begin
               perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{name}';
               exit; exception when object_in_use then perform pg_sleep(0.05); end; end loop; end $$;
             drop database {name} with (force)"
        ));
    }
}

/// A running task.
pub(crate) struct Source {
    task: PostgresTask,
    pub outside: Outside,
    advance: Advance<Position>,
    pub position: Option<Position>,
    batch: Batch,
}

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub topic: String,
    pub key: serde_json::Value,
    /// The envelope; null for a tombstone.
    pub value: serde_json::Value,
    pub headers: Map<String, serde_json::Value>,
}

impl Event {
    fn of(row: Row<'_>) -> Self {
        Self {
            topic: row.topic().to_string(),
            key: json(row.key()),
            value: json(row.value()),
            headers: row
                .headers()
                .map(|(name, value)| (name.to_string(), json(value)))
                .collect(),
        }
    }

    pub(crate) fn op(&self) -> &str {
        self.value["op"].as_str().unwrap_or("tombstone")
    }

    pub(crate) fn after(&self) -> &serde_json::Value {
        &self.value["after"]
    }
}

fn json(datum: Datum<'_>) -> serde_json::Value {
    to_json(datum.to_value())
}

fn to_json(value: Value) -> serde_json::Value {
    match value {
        Value::Absent => json!("<absent>"),
        Value::Null => json!(null),
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(f) => json!(f),
        Value::Digits(text) => json!(format!("digits {text}")),
        Value::Str(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes),
        Value::Array(items) => items.into_iter().map(to_json).collect(),
        Value::Map(entries) => entries
            .into_iter()
            .map(|(name, value)| (name, to_json(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

impl Source {
    pub(crate) async fn open(
        mut task: PostgresTask,
        stored: Option<Position>,
    ) -> Result<Self, Error> {
        let (advance, safe) = watermark();
        let outside = Outside::default();
        let start = Start {
            stored: stored.clone().into_iter().collect(),
            safe,
            meter: Meter::default(),
            outside: outside.clone(),
        };
        task.open(start).await?;
        Ok(Self {
            task,
            outside,
            advance,
            position: stored,
            batch: Batch::default(),
        })
    }

    /// One poll.
    pub(crate) async fn poll(&mut self) -> Result<Vec<Event>, Error> {
        let batch = self.poll_batch().await?;
        Ok(batch.rows().map(Event::of).collect())
    }

    /// One poll; its records as they are.
    pub(crate) async fn poll_batch(&mut self) -> Result<&Batch, Error> {
        self.batch.clear();
        self.task.poll(&mut self.batch).await?;
        if let Some(position) = self.batch.position() {
            self.position = Some(position.clone());
        }
        Ok(&self.batch)
    }

    /// The next `count` records, or more if they came in one batch.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<Event> {
        self.take_until(|events| events.len() >= count).await
    }

    /// Records until a condition holds.
    pub(crate) async fn take_until(&mut self, done: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let deadline = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        while !done(&events) {
            let polled = timeout_at(deadline, self.poll()).await;
            events.extend(
                polled
                    .unwrap_or_else(|_| panic!("only {} records came", events.len()))
                    .unwrap(),
            );
            assert!(
                Instant::now() < deadline,
                "only {} records came",
                events.len()
            );
        }
        events
    }

    /// Polls until no snapshot is left to be read; gives away what comes.
    pub(crate) async fn streams(&mut self, mut take: impl FnMut(Vec<Event>, Option<Position>)) {
        let deadline = Instant::now() + PATIENCE;
        let streams = |position: &Position| !position.offset.contains("\"snapshot\"");
        while !self.position.as_ref().is_some_and(streams) {
            assert!(Instant::now() < deadline, "the snapshot does not end");
            let events = self.poll().await.unwrap();
            take(events, self.batch.position().cloned());
        }
    }

    /// The batch of the last poll.
    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Polls until something holds that has nothing to do with records; gives the records that came.
    pub(crate) async fn poll_until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> Vec<Event> {
        let deadline = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        while !done(self) {
            assert!(Instant::now() < deadline, "still not so: {what}");
            events.extend(self.poll().await.unwrap());
        }
        events
    }

    /// The runtime has stored what was polled last.
    pub(crate) fn make_durable(&self) {
        if let Some(position) = &self.position {
            self.advance.to(position.clone());
        }
    }

    pub(crate) async fn close(mut self) -> Option<Position> {
        self.task.close().await.unwrap();
        self.position
    }
}

/// The operations, joined.
pub(crate) fn ops(events: &[Event]) -> String {
    events.iter().map(Event::op).collect::<Vec<_>>().join(" ")
}

impl Database {
    /// Opens after a task was dropped without a word: the server needs a moment to notice.
    pub(crate) async fn open_again(
        &self,
        more: &[(&str, &str)],
        stored: Option<Position>,
    ) -> Source {
        let free = format!(
            "select count(*) from pg_replication_slots where slot_name = '{}' and active",
            self.name
        );
        self.wait_until("the slot is free", || self.sql(&free).trim() == "0")
            .await;
        self.open(more, stored).await
    }

    /// Waits for a condition of the server, without holding up the task's feedback.
    pub(crate) async fn wait_until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "still not so: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
