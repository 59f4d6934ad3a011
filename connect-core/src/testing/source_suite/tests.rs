//! The suite passes a source that is right, and finds each way to be wrong.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Origin, run};
use crate::{Batch, Cell, Field, Position, Record, Result, Route, Schema, SourceTask, Start, Type};

/// How a source can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    /// It forgets what was polled, not what was stored.
    ForgetsEarly,
    /// It begins at the end, whatever was stored.
    Skips,
    /// Its position is that before the last row.
    StaysBehind,
    /// It gives the rows of a batch in the wrong order.
    Reorders,
    /// It says null for what was not sent.
    Nulls,
    /// It waits for rows without end.
    Hangs,
    /// It ends its predecessor when it is prepared.
    TakesOver,
}

/// One change: the id, and the new text, nothing for a deletion, or that the text was not sent.
type Change = (u64, Option<Option<String>>);

#[derive(Clone)]
struct Memory {
    log: Arc<Mutex<Vec<Change>>>,
    forgotten: Arc<Mutex<usize>>,
    /// Which task the server serves, if any.
    serves: Arc<Mutex<Option<usize>>>,
    flaw: Flaw,
}

struct Task {
    memory: Memory,
    route: Arc<Route>,
    at: usize,
    start: Option<Start>,
}

impl Memory {
    fn new(flaw: Flaw) -> Self {
        Self {
            log: Arc::default(),
            forgotten: Arc::default(),
            serves: Arc::default(),
            flaw,
        }
    }

    fn write(&self, changes: impl IntoIterator<Item = Change>) {
        self.log.lock().unwrap().extend(changes);
    }
}

impl Origin for Memory {
    type Task = Task;

    fn task(&self) -> Task {
        let id = Field::new("id", Schema::of(Type::Int64));
        let text = Field::new("text", Schema::of(Type::String).optional());
        let key = Arc::new(Schema::structure([id.clone()]));
        let row = Schema::structure([id, text]).optional();
        let envelope = Schema::structure([
            Field::new("after", row),
            Field::new("source", Schema::structure([])),
            Field::new("op", Schema::of(Type::String)),
        ]);
        let value = Arc::new(envelope.titled("t.Envelope"));
        let route = Route::new("t", Some(key), Some(value));
        Task {
            memory: self.clone(),
            route,
            at: 0,
            start: None,
        }
    }

    async fn insert(&self, from: u64, to: u64) {
        self.write((from..=to).map(|id| (id, Some(Some(format!("row {id}"))))));
    }

    async fn update(&self, id: u64, text: &str) {
        self.write([(id, Some(Some(text.to_owned())))]);
    }

    async fn delete(&self, id: u64) {
        self.write([(id, None)]);
    }

    async fn leave_out(&self, id: u64) -> Option<&'static str> {
        self.write([(id, Some(None))]);
        Some("text")
    }
}

impl SourceTask for Task {
    async fn prepare(&mut self) {
        if self.memory.flaw == Flaw::TakesOver {
            *self.memory.serves.lock().unwrap() = None;
        }
    }

    async fn open(&mut self, start: Start) -> Result<()> {
        *self.memory.serves.lock().unwrap() = Some(self.number());
        let stored = start.stored.first();
        self.at = stored.map_or(0, |position| position.offset.parse().unwrap());
        if self.memory.flaw == Flaw::Skips {
            self.at = self.memory.log.lock().unwrap().len();
        }
        self.at = self.at.max(*self.memory.forgotten.lock().unwrap());
        self.start = Some(start);
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        self.forget();
        let serves = *self.memory.serves.lock().unwrap();
        assert_eq!(serves, Some(self.number()), "it was ended");
        let mut changes: Vec<Change> = {
            let log = self.memory.log.lock().unwrap();
            log.iter().skip(self.at).take(7).cloned().collect()
        };
        if changes.is_empty() && self.memory.flaw == Flaw::Hangs {
            std::future::pending::<()>().await;
        }
        if changes.is_empty() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        self.at += changes.len();
        if self.memory.flaw == Flaw::Reorders {
            changes.reverse();
        }
        for change in changes {
            self.push(change, out);
        }
        let behind = usize::from(self.memory.flaw == Flaw::StaysBehind);
        let offset = self.at.saturating_sub(behind).to_string();
        out.set_position(Position {
            partition: "{}".into(),
            offset: offset.into(),
            order: 0,
        });
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Task {
    /// No other task that is there has it.
    fn number(&self) -> usize {
        Arc::as_ptr(&self.route).addr()
    }

    /// What the server may forget, it forgets at once.
    fn forget(&self) {
        let safe = self.start.as_ref().and_then(|start| start.safe.latest());
        let mut forgotten = self.memory.forgotten.lock().unwrap();
        *forgotten = safe.map_or(*forgotten, |safe| safe.offset.parse().unwrap());
        if self.memory.flaw == Flaw::ForgetsEarly {
            *forgotten = self.at;
        }
    }

    fn push(&self, (id, text): Change, out: &mut Batch) {
        let route = out.route_index(&self.route);
        let id = Cell::Int(i64::try_from(id).unwrap());
        let key = out.push_nest(&[id]);
        let (after, op) = match text {
            None => (Cell::Null, "d"),
            Some(text) => {
                let text = match text {
                    Some(text) => out.push_bytes(text.as_bytes()),
                    None if self.memory.flaw == Flaw::Nulls => Cell::Null,
                    None => Cell::Absent,
                };
                (out.push_nest(&[id, text]), "u")
            }
        };
        let (source, op) = (out.push_nest(&[]), out.push_bytes(op.as_bytes()));
        let value = out.push_nest(&[after, source, op]);
        out.push(Record::new(route, key, value));
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_right_passes() {
    run(&Memory::new(Flaw::Nothing)).await;
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_found() {
    for flaw in [
        Flaw::ForgetsEarly,
        Flaw::Skips,
        Flaw::StaysBehind,
        Flaw::Reorders,
        Flaw::Nulls,
        Flaw::Hangs,
        Flaw::TakesOver,
    ] {
        let memory = Memory::new(flaw);
        let found = tokio::spawn(async move { run(&memory).await }).await;
        assert!(found.is_err_and(|e| e.is_panic()), "{flaw:?} was not found");
    }
}
