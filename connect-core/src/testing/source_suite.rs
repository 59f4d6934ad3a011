//! What every source must do, run against its real server.
//!
//! A suite drives a table of the server through [`Origin`], and looks at nothing but what the task gives: rows, positions,
//! and how it goes on from them.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    Advance, Batch, Cell, Position, SourceTask, Start, batch::Row, change::Change, meter::Meter,
    watermark::watermark,
};

/// How long the task may take for what it does at once when all is well.
const PATIENCE: Duration = Duration::from_secs(60);
/// `poll` promises about a second; a machine that is busy gets ten.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// A server under test, with one table of an integer key and a text: `(id, text)`.
pub trait Origin {
    /// Its task.
    type Task: SourceTask;

    /// A new task, not yet open. Every one of them reads the same table and goes on from the positions of those before it.
    fn task(&self) -> Self::Task;

    /// Writes rows `from..=to` in one transaction, each with the text `row <id>`, and returns after the commit.
    fn insert(&self, from: u64, to: u64) -> impl Future<Output = ()> + Send;

    /// Sets the text of one row.
    fn update(&self, id: u64, text: &str) -> impl Future<Output = ()> + Send;

    /// Deletes one row.
    fn delete(&self, id: u64) -> impl Future<Output = ()> + Send;

    /// Updates one row so that the server does not send the value of a field (unchanged TOAST, a partial image); gives the field's name.
    /// `None` for a server that always sends everything.
    fn leave_out(&self, _id: u64) -> impl Future<Output = Option<&'static str>> + Send {
        async { None }
    }

    /// The id in a record's key.
    fn id(&self, row: Row<'_>) -> u64 {
        let id = row
            .key()
            .get("id")
            .or_else(|| row.key().get("payload")?.get("id"));
        let id = id
            .and_then(|id| id.int())
            .and_then(|id| u64::try_from(id).ok());
        id.expect("the key has the table's id")
    }

    /// Whether a record is about a row of the table, and not a heartbeat or a marker of a transaction.
    fn is_row(&self, row: Row<'_>) -> bool {
        !matches!(Change::of(row), Change::Other) || row.value().is_null()
    }
}

/// Runs everything, one after the other, on one table that is empty at first.
pub async fn run<O: Origin>(origin: &O) {
    let mut suite = Suite {
        origin,
        stored: BTreeMap::new(),
        rows: 0,
    };
    suite.reads_what_is_there().await;
    suite.is_back_soon_when_nothing_happens().await;
    suite.keeps_the_order_of_each_row().await;
    suite.keeps_what_is_absent().await;
    suite.goes_on_without_a_gap_after_a_stop().await;
    suite.goes_on_without_a_gap_after_a_crash().await;
    suite.repeats_only_what_was_not_stored().await;
    suite.is_prepared_beside_its_predecessor().await;
}

struct Suite<'a, O> {
    origin: &'a O,
    /// Positions as the runtime stores them: one per source partition.
    stored: BTreeMap<String, Position>,
    rows: u64,
}

/// A task that is open, and what the runtime would tell it.
struct Open<T> {
    task: T,
    safe: Advance<Position>,
    batch: Batch,
}

/// What a record says, as far as the suite wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    id: u64,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Text(String),
    /// Null, or not sent.
    NoText,
    Gone,
}

impl<O: Origin> Suite<'_, O> {
    async fn open(&self) -> Open<O::Task> {
        self.open_task(self.origin.task()).await
    }

    async fn open_task(&self, mut task: O::Task) -> Open<O::Task> {
        let (safe, watched) = watermark();
        let stored = self.stored.values().cloned().collect();
        let start = Start {
            stored,
            safe: watched,
            meter: Meter::default(),
            outside: crate::outside::Outside::default(),
        };
        tokio::time::timeout(PATIENCE, task.open(start))
            .await
            .expect("open ends")
            .expect("open");
        Open {
            task,
            safe,
            batch: Batch::default(),
        }
    }

    /// Polls once. The batch must be sound, and its position must be that after its last row.
    async fn poll(&self, open: &mut Open<O::Task>) -> Vec<Seen> {
        open.batch.clear();
        let polled = open.task.poll(&mut open.batch);
        tokio::time::timeout(IDLE_LIMIT, polled)
            .await
            .expect("poll comes back")
            .expect("poll");
        for row in open.batch.rows() {
            assert!(
                open.batch.route(row.record().route).is_some(),
                "a record has a route"
            );
            assert!(
                !matches!(row.record().key, Cell::Free(_)),
                "a source has schemas"
            );
        }
        let rows = open.batch.rows().filter(|row| self.origin.is_row(*row));
        rows.filter_map(|row| self.seen(row)).collect()
    }

    fn seen(&self, row: Row<'_>) -> Option<Seen> {
        let id = self.origin.id(row);
        let what = match Change::of(row) {
            Change::Write { after, .. } => {
                let text = after.get("text").and_then(|text| text.text());
                text.map_or(What::NoText, |text| What::Text(text.into_owned()))
            }
            // A tombstone says the same again.
            Change::Delete { .. } if row.value().is_null() => return None,
            Change::Delete { .. } => What::Gone,
            _ => return None,
        };
        Some(Seen { id, what })
    }

    /// Polls until so many rows came; stores the position of each batch as the runtime does, and tells the task.
    async fn read(&mut self, open: &mut Open<O::Task>, count: usize) -> Vec<Seen> {
        let mut all = Vec::new();
        let read = async {
            while all.len() < count {
                all.extend(self.poll(open).await);
                self.store(open);
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the rows come");
        all
    }

    fn store(&mut self, open: &Open<O::Task>) {
        if let Some(position) = open.batch.position() {
            self.stored
                .insert(position.partition.to_string(), position.clone());
            open.safe.to(position.clone());
        }
    }

    async fn insert(&mut self, count: u64) -> Vec<Seen> {
        let (from, to) = (self.rows + 1, self.rows + count);
        self.origin.insert(from, to).await;
        self.rows = to;
        (from..=to)
            .map(|id| Seen {
                id,
                what: What::Text(format!("row {id}")),
            })
            .collect()
    }

    /// Rows from before the first start are there, then those that are written while it runs; and the position follows.
    async fn reads_what_is_there(&mut self) {
        let mut expected = self.insert(5).await;
        let mut open = self.open().await;
        let mut seen = self.read(&mut open, 5).await;
        seen.sort_by_key(|seen| seen.id);
        assert_eq!(seen, expected, "what was there at the start");
        expected = self.insert(20).await;
        assert_eq!(
            self.read(&mut open, 20).await,
            expected,
            "what was written while it ran"
        );
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    /// The position may come with a later batch than the rows, but it comes.
    async fn until_stored(&mut self, open: &mut Open<O::Task>) {
        let stored = async {
            while self.stored.is_empty() || open.batch.position().is_none() {
                let seen = self.poll(open).await;
                assert_eq!(seen, [], "nothing more was written");
                self.store(open);
            }
        };
        tokio::time::timeout(PATIENCE, stored)
            .await
            .expect("a position comes");
    }

    async fn is_back_soon_when_nothing_happens(&mut self) {
        let mut open = self.open().await;
        for _ in 0..3 {
            let seen = self.poll(&mut open).await;
            assert_eq!(seen, [], "everything was stored, so nothing comes again");
            self.store(&open);
        }
        open.task.close().await.expect("close");
    }

    /// Changes of one row come in their order.
    async fn keeps_the_order_of_each_row(&mut self) {
        let mut open = self.open().await;
        let mut expected = self.insert(1).await;
        let id = self.rows;
        for round in 0..30 {
            let text = format!("round {round}");
            self.origin.update(id, &text).await;
            expected.push(Seen {
                id,
                what: What::Text(text),
            });
        }
        self.origin.delete(id).await;
        expected.push(Seen {
            id,
            what: What::Gone,
        });
        assert_eq!(self.read(&mut open, expected.len()).await, expected);
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    /// Invariant 3: what the server did not send is absent, not null.
    async fn keeps_what_is_absent(&mut self) {
        self.insert(1).await;
        let mut open = self.open().await;
        self.read(&mut open, 1).await;
        if let Some(field) = self.origin.leave_out(self.rows).await {
            while self.poll(&mut open).await.is_empty() {
                self.store(&open);
            }
            let rows = open.batch.rows().filter(|row| self.origin.is_row(*row));
            let changes = rows.filter_map(|row| match Change::of(row) {
                Change::Write { after, .. } => after.get(field),
                _ => None,
            });
            let absent: Vec<bool> = changes.map(|value| value.is_absent()).collect();
            assert_eq!(absent, [true], "{field} was not sent");
            self.store(&open);
        }
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    async fn goes_on_without_a_gap_after_a_stop(&mut self) {
        let expected = self.insert(10).await;
        let mut open = self.open().await;
        assert_eq!(
            self.read(&mut open, 10).await,
            expected,
            "written while it was away"
        );
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    /// The task is dropped in the middle, without a goodbye; what was stored is all that is left.
    async fn goes_on_without_a_gap_after_a_crash(&mut self) {
        let mut open = self.open().await;
        let first = self.insert(10).await;
        assert_eq!(self.read(&mut open, 10).await, first);
        self.until_stored(&mut open).await;
        drop(open);
        let second = self.insert(10).await;
        let mut open = self.open().await;
        assert_eq!(self.read(&mut open, 10).await, second);
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    /// Rows whose position never became durable come again, all of them: the server may not forget what was only read.
    async fn repeats_only_what_was_not_stored(&mut self) {
        let mut open = self.open().await;
        let expected = self.insert(10).await;
        let mut lost = Vec::new();
        let read = async {
            while lost.len() < 10 {
                lost.extend(self.poll(&mut open).await);
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the rows come");
        assert_eq!(lost, expected);
        // Invariant 1: nothing was stored, so nothing was told, so nothing may be gone.
        open.task.close().await.expect("close");
        let mut open = self.open().await;
        assert_eq!(self.read(&mut open, 10).await, expected, "they come again");
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }

    /// The predecessor notices nothing of it, and what is prepared goes on where that has stopped; as does one that was dropped on its way.
    async fn is_prepared_beside_its_predecessor(&mut self) {
        let mut open = self.open().await;
        let mut next = self.origin.task();
        tokio::time::timeout(PATIENCE, next.prepare())
            .await
            .expect("prepare ends");
        let mut dropped = self.origin.task();
        tokio::select! {
            biased;
            () = dropped.prepare() => {}
            () = std::future::ready(()) => {}
        }
        for prepared in [next, dropped] {
            let expected = self.insert(10).await;
            let seen = self.read(&mut open, 10).await;
            assert_eq!(seen, expected, "another one is prepared");
            self.until_stored(&mut open).await;
            open.task.close().await.expect("close");
            let expected = self.insert(10).await;
            open = self.open_task(prepared).await;
            assert_eq!(self.read(&mut open, 10).await, expected, "it was prepared");
        }
        self.until_stored(&mut open).await;
        open.task.close().await.expect("close");
    }
}

#[cfg(test)]
mod tests;
