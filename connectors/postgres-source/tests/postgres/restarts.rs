//! The source ends after every single batch, in every way, and goes on: no gap and no repeat, in any of the situations in
//! which Debezium has to find its place again (its `WALPositionLocatorTest`, `PostgresConnectorIT`, `RecordsStreamProducerIT`).

mod situations;

use std::collections::HashSet;

use connect_core::Position;
use stack::PgVersion;
use tokio::time::Instant;

use crate::{
    harness::{Database, Event, PATIENCE, Source},
    interrupted::database,
};

/// A batch has one record where that is possible; everything is told, so that everything must come again as it was.
const EXACT: &[(&str, &str)] = &[
    ("snapshot.mode", "no_data"),
    ("max.batch.size", "1"),
    ("provide.transaction.metadata", "true"),
    ("skipped.operations", "none"),
];

/// A table whose rows end the steps of a situation.
const MARKER: &str = "create table marker (n int primary key);";
const ROWS: &str = "create table t (id int primary key, v text);";

/// What happens, and how it is read.
#[derive(Default)]
struct Situation {
    /// Properties over [`EXACT`].
    more: &'static [(&'static str, &'static str)],
    setup: &'static str,
    /// SQL; the source reads all of each before the next.
    steps: &'static [&'static str],
    /// Whether nothing happens between the steps until keepalives have moved the slot to the end of the log.
    quiet: bool,
    /// Whether the source ends after a heartbeat alone in each step, too.
    heartbeats: bool,
    /// Words that must stand in an offset after which the source ended.
    ends_at: &'static [&'static str],
    /// What must come, as [`told`] writes it.
    records: &'static str,
}

/// A situation on a database of its own, and what was seen.
struct Trial {
    db: Database,
    more: Vec<(&'static str, &'static str)>,
    situation: Situation,
    /// Offsets at which the source ended.
    ends: Vec<String>,
}

async fn restarted(version: PgVersion, situation: Situation) {
    let db = database(version);
    db.sql(MARKER);
    db.sql(situation.setup);
    let mut trial = Trial {
        more: EXACT.iter().chain(situation.more).copied().collect(),
        db,
        situation,
        ends: Vec::new(),
    };
    trial.open("", None).await.close().await;
    let [stopping, killing, forgetting] = ["stopping", "killing", "forgetting"];
    for way in [stopping, killing, forgetting] {
        trial.copy_slot(way);
    }
    let stopped = Box::pin(trial.stopped(stopping)).await;
    let whole = Box::pin(trial.whole()).await;
    assert_eq!(told(&whole), trial.situation.records);
    same("stopped after every batch", &stopped, &whole);
    let killed = Box::pin(trial.killed(killing, whole.len())).await;
    same("killed after every batch", &killed, &whole);
    let again = Box::pin(trial.forgetful(forgetting, whole.len())).await;
    same("killed before a position was stored", &again, &whole);
    trial.has_ended_everywhere(&whole);
    for way in [stopping, killing, forgetting] {
        trial.drop_slot(way).await;
    }
}

impl Trial {
    /// The slot of a way to end; without one, that from which no other place was ever confirmed.
    fn slot(&self, way: &str) -> String {
        format!("{}{way}", self.db.name)
    }

    /// A stored position counts as durable and is confirmed, so that each way needs its own slot.
    fn copy_slot(&self, way: &str) {
        let (from, to) = (self.slot(""), self.slot(way));
        let sql = format!("select pg_copy_logical_replication_slot('{from}', '{to}')");
        self.db.sql(&sql);
    }

    async fn drop_slot(&self, way: &str) {
        self.wait_for_slot(way).await;
        let sql = format!("select pg_drop_replication_slot('{}')", self.slot(way));
        self.db.sql(&sql);
    }

    /// The server needs a moment to notice that a source has died.
    async fn wait_for_slot(&self, way: &str) {
        let slot = self.slot(way);
        let free = format!(
            "select count(*) from pg_replication_slots where slot_name = '{slot}' and active"
        );
        let is_free = || self.db.sql(&free).trim() == "0";
        self.db.wait_until("the slot is free", is_free).await;
    }

    /// Opens when the slot is free.
    async fn open(&self, way: &str, stored: Option<Position>) -> Source {
        self.wait_for_slot(way).await;
        let slot = self.slot(way);
        let own = [("slot.name", slot.as_str())];
        let more: Vec<(&str, &str)> = self.more.iter().copied().chain(own).collect();
        self.db.open(&more, stored).await
    }

    /// Whether the source ended where it should have: after each record of the server's log, and where the situation says.
    fn has_ended_everywhere(&self, whole: &[Event]) {
        let places: HashSet<_> = whole
            .iter()
            .map(|event| &event.value["source"])
            .filter(|source| source.is_object())
            .map(|source| (source["txId"].to_string(), source["lsn"].to_string()))
            .collect();
        let ends: HashSet<_> = self.ends.iter().collect();
        assert!(ends.len() >= places.len(), "{ends:#?}");
        for words in self.situation.ends_at {
            let is_there = ends.iter().any(|offset| offset.contains(words));
            assert!(is_there, "{words}: {ends:#?}");
        }
    }

    /// While things happen: each batch becomes durable, the source is closed and opened again.
    async fn stopped(&mut self, way: &str) -> Vec<Event> {
        let (mut seen, mut stored) = (Vec::new(), None);
        for (number, step) in self.situation.steps.iter().enumerate() {
            let address = format!(
                "host=127.0.0.1 port={} user=postgres password={} dbname={}",
                self.db.server.port(),
                stack::PASSWORD,
                self.db.name
            );
            self.db.sql(&step.replace("${address}", &address));
            self.db
                .sql(&format!("insert into marker values ({number})"));
            let mut was_only_beat = !self.situation.heartbeats;
            while !(was_only_beat && self.is_over(&seen, number)) {
                let mut source = self.open(way, stored.take()).await;
                let events = batch(&mut source).await;
                was_only_beat |= events.is_empty();
                seen.extend(events);
                if self.situation.quiet && self.is_over(&seen, number) {
                    Box::pin(self.wait_for_keepalives(&mut source, way)).await;
                }
                source.make_durable();
                stored = source.close().await;
                self.ended(&stored);
            }
        }
        assert_eq!(Box::pin(self.after(way, stored)).await, []);
        seen
    }

    /// All that comes in one go. Nothing of this slot is ever confirmed.
    async fn whole(&self) -> Vec<Event> {
        let mut source = self.open("", None).await;
        let last = self.situation.steps.len() - 1;
        let mut seen = Vec::new();
        while !self.is_over(&seen, last) {
            seen.extend(batch(&mut source).await);
        }
        seen
    }

    /// Each batch and its position are stored together, then the source dies.
    async fn killed(&mut self, way: &str, count: usize) -> Vec<Event> {
        let (mut seen, mut stored) = (Vec::new(), None);
        while seen.len() < count {
            let mut source = self.open(way, stored.take()).await;
            seen.extend(batch(&mut source).await);
            stored.clone_from(&source.position);
            drop(source);
            self.ended(&stored);
        }
        assert_eq!(Box::pin(self.after(way, stored)).await, []);
        seen
    }

    /// The source dies when a batch more has been written than is known of in the stored position: it comes again.
    async fn forgetful(&mut self, way: &str, count: usize) -> Vec<Event> {
        let (mut seen, mut stored, mut again) = (Vec::new(), None, Vec::new());
        while seen.len() < count {
            let mut source = self.open(way, stored.take()).await;
            let first = records(&mut source).await;
            stored.clone_from(&source.position);
            let common = first.len().min(again.len());
            same("what was not known of", &first[..common], &again[..common]);
            seen.extend(first);
            again = match seen.len() < count {
                true => records(&mut source).await,
                false => Vec::new(),
            };
        }
        seen
    }

    /// What comes from the end on.
    async fn after(&self, way: &str, stored: Option<Position>) -> Vec<Event> {
        let mut source = self.open(way, stored).await;
        let events = kept(source.poll().await.unwrap());
        source.close().await;
        events
    }

    /// Whether the marker of a step has come, with the end of its transaction.
    fn is_over(&self, seen: &[Event], step: usize) -> bool {
        let is_marker =
            |event: &Event| event.topic == "t.public.marker" && event.after()["n"] == step;
        let tells = self
            .more
            .iter()
            .rev()
            .find(|(key, _)| *key == "provide.transaction.metadata");
        match tells {
            Some((_, "true")) => {
                let has_ended = |event: &Event| event.value["status"] == "END";
                let rest = seen.iter().skip_while(|event| !is_marker(event));
                rest.into_iter().any(has_ended)
            }
            _ => seen.iter().any(is_marker),
        }
    }

    async fn wait_for_keepalives(&self, source: &mut Source, way: &str) {
        let slot = self.slot(way);
        let sql = format!(
            "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{slot}'",
            self.db.sql("select pg_current_wal_lsn()").trim()
        );
        let what = "the slot has followed keepalives";
        let events = source.poll_until(what, |source| {
            source.make_durable();
            self.db.sql(&sql).trim() == "t"
        });
        assert_eq!(kept(events.await), []);
    }

    fn ended(&mut self, stored: &Option<Position>) {
        let offset = stored.as_ref().map(|position| position.offset.to_string());
        self.ends.extend(offset);
    }
}

/// The next batch that has records, whether they are compared or not.
async fn batch(source: &mut Source) -> Vec<Event> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let events = source.poll().await.unwrap();
        if !events.is_empty() {
            return kept(events);
        }
        assert!(Instant::now() < deadline, "nothing comes");
    }
}

/// The next batch that has records which are compared.
async fn records(source: &mut Source) -> Vec<Event> {
    loop {
        let events = batch(source).await;
        if !events.is_empty() {
            return events;
        }
    }
}

/// The captured changes and messages in short: operation and id, before it the table unless that is `t`; of messages their
/// content.
fn told(events: &[Event]) -> String {
    let told = |event: &Event| {
        let (table, op) = (event.topic.rsplit('.').next()?, event.value["op"].as_str());
        let prefix = match table {
            "marker" | "transaction" => return None,
            "t" | "message" => String::new(),
            table => format!("{table}."),
        };
        let what = match (op, event.value["message"]["content"].as_array()) {
            (_, Some(content)) => text(content),
            (Some("t"), _) => String::new(),
            _ => event.key["id"].to_string(),
        };
        Some(format!("{prefix}{}{what}", op.unwrap_or("-")))
    };
    let told: Vec<_> = events.iter().filter_map(told).collect();
    told.join(" ")
}

fn text(bytes: &[serde_json::Value]) -> String {
    let bytes = bytes.iter().filter_map(serde_json::Value::as_u64);
    bytes
        .filter_map(|byte| char::from_u32(u32::try_from(byte).ok()?))
        .collect()
}

/// Heartbeats come when they want.
fn kept(events: Vec<Event>) -> Vec<Event> {
    let is_kept = |event: &Event| !event.topic.starts_with("__debezium-heartbeat");
    events.into_iter().filter(is_kept).map(timeless).collect()
}

/// Without the times at which it was read, and by which run.
fn timeless(mut event: Event) -> Event {
    event.headers.remove("__debezium.context.runId");
    if event.value["op"].is_string()
        && let Some(value) = event.value.as_object_mut()
    {
        for name in ["ts_ms", "ts_us", "ts_ns"] {
            value.remove(name);
        }
    }
    event
}

fn same(what: &str, seen: &[Event], whole: &[Event]) {
    for (at, (one, other)) in seen.iter().zip(whole).enumerate() {
        assert_eq!(one, other, "{what}: record {at}");
    }
    assert_eq!(seen.len(), whole.len(), "{what}");
}
