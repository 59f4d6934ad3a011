//! What every sink must do, run against its real server.

use super::{
    changes::{Change, Shape, State, Table, nulls},
    random::{self, Dice},
};
use crate::{Batch, Rejects, SinkTask, Value, meter::Meter};

/// A destination under test.
pub trait Target {
    /// Its task.
    type Task: SinkTask;

    /// A new task, not yet open, that writes the topic.
    fn task(&self, topic: &str) -> Self::Task;

    /// All rows of the topic that the destination holds.
    fn read(&self, topic: &str) -> impl Future<Output = State>;
}

/// Runs everything, for both shapes of records, each on a topic of its own that begins with `prefix`.
pub async fn run<T: Target>(target: &T, prefix: &str) {
    for shape in [Shape::Envelope, Shape::Flat] {
        let of = |name: &str| Case {
            target,
            table: Table::new(&format!("{prefix}.{name}.{shape:?}").to_lowercase(), shape),
        };
        of("order").keeps_order_per_key().await;
        of("delete").deletes().await;
        of("absent").keeps_absent_fields().await;
        of("reject").names_what_it_refuses().await;
        of("reopen").goes_on_after_close().await;
        for seed in 0..2 {
            of(&format!("replay{seed}")).converges_on_replay(seed).await;
        }
    }
}

/// One random log: written, then written again from a random place on, twice. The state must be the model's each time.
pub async fn replay<T: Target>(target: &T, topic: &str, shape: Shape, seed: u64) {
    let table = Table::new(topic, shape);
    Case { target, table }.converges_on_replay(seed).await;
}

struct Case<'a, T> {
    target: &'a T,
    table: Table,
}

impl<T: Target> Case<'_, T> {
    async fn open(&self) -> T::Task {
        let mut task = self.target.task(self.table.topic());
        task.open(Meter::default()).await.expect("open");
        task
    }

    async fn write(&self, task: &mut T::Task, changes: &[Change], from: i64) -> Rejects {
        let batch: Batch = self.table.batch(changes, from);
        let rejects = task.write(&batch).await.expect("write");
        task.flush().await.expect("flush");
        rejects
    }

    async fn accept(&self, task: &mut T::Task, changes: &[Change], from: i64) {
        let rejects = self.write(task, changes, from).await;
        assert!(rejects.is_empty(), "refused: {rejects:?}");
    }

    async fn expect(&self, changes: &[Change], when: &str) {
        let mut state = State::new();
        for change in changes {
            self.table.apply(change, &mut state);
        }
        let found = self.target.read(self.table.topic()).await;
        assert_eq!(found, state, "{} {when}", self.table.topic());
    }

    async fn keeps_order_per_key(&self) {
        let mut changes = Vec::new();
        for round in 0..50 {
            for id in 0..3 {
                changes.push(named(id, &format!("round {round}")));
                if round % 7 == id {
                    changes.push(Change::Delete(id));
                    changes.push(named(id, &format!("again {round}")));
                }
            }
        }
        let mut task = self.open().await;
        self.accept(&mut task, &changes, 0).await;
        self.expect(&changes, "when one batch changes a row many times")
            .await;
    }

    async fn deletes(&self) {
        let mut changes = vec![
            named(1, "a"),
            named(2, "b"),
            named(3, "c"),
            Change::Delete(1),
        ];
        let mut task = self.open().await;
        self.accept(&mut task, &changes, 0).await;
        let more = [
            Change::Tombstone(2),
            Change::Delete(9),
            Change::Tombstone(8),
        ];
        self.accept(&mut task, &more, 2 * changes.len() as i64)
            .await;
        changes.extend(more);
        self.expect(&changes, "after deletes").await;
    }

    /// Invariant 3.
    async fn keeps_absent_fields(&self) {
        let mut all = nulls();
        for (name, value) in &mut all {
            if matches!(*name, "note" | "name") {
                *value = Value::Str(format!("first {name}"));
            }
        }
        let partial = vec![("name", Value::from("second name")), ("at", Value::Null)];
        let doc = vec![("doc", Value::from("{\"a\":1}"))];
        let changes = [
            Change::Put(1, all.clone()),
            Change::Put(1, partial.clone()),
            Change::Put(2, all),
            Change::Put(1, doc),
            Change::Put(2, partial),
        ];
        let mut task = self.open().await;
        self.accept(&mut task, &changes[..3], 0).await;
        self.accept(&mut task, &changes[3..], 6).await;
        self.expect(&changes, "after updates with absent fields")
            .await;
    }

    async fn names_what_it_refuses(&self) {
        let changes = [named(1, "a"), Change::Poison, named(2, "b"), Change::Poison];
        let mut task = self.open().await;
        let rejects = self.write(&mut task, &changes, 0).await;
        let indices: Vec<usize> = rejects.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [1, 3], "{rejects:?}");
        self.expect(&changes, "beside refused records").await;
    }

    async fn goes_on_after_close(&self) {
        let changes = [
            named(1, "a"),
            named(2, "b"),
            Change::Delete(1),
            named(3, "c"),
        ];
        let mut task = self.open().await;
        self.accept(&mut task, &changes[..2], 0).await;
        task.close().await.expect("close");
        let mut task = self.open().await;
        self.accept(&mut task, &changes[2..], 4).await;
        task.close().await.expect("close");
        self.expect(&changes, "after close and open").await;
    }

    /// Invariant 6.
    async fn converges_on_replay(&self, seed: u64) {
        let mut dice = Dice::new(seed + 1);
        let len = 40 + dice.below(80);
        let changes = random::changes(&mut dice, len, 5);
        let len = changes.len();
        let mut task = self.open().await;
        let mut at = 0;
        while at < len {
            let end = (at + 1 + dice.below(30)).min(len);
            self.accept(&mut task, &changes[at..end], 2 * at as i64)
                .await;
            at = end;
        }
        self.expect(&changes, &format!("with seed {seed}")).await;
        for _ in 0..2 {
            drop(task);
            task = self.open().await;
            let from = dice.below(len);
            self.accept(&mut task, &changes[from..], 2 * from as i64)
                .await;
            self.expect(&changes, &format!("with seed {seed}, again from {from}"))
                .await;
        }
    }
}

fn named(id: i64, name: &str) -> Change {
    let mut columns = nulls();
    if let Some((_, value)) = columns.iter_mut().find(|(n, _)| *n == "name") {
        *value = name.into();
    }
    Change::Put(id, columns)
}
