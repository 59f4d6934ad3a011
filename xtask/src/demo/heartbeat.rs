//! A row of each table that is written all the time, and when each write was committed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    Result,
    database::Database,
    inventory::{Beaten, HEARTBEAT},
    session::Session,
    stop::Stop,
};

const EVERY: Duration = Duration::from_millis(100);

/// When the beats were committed, in order. Beat 1 is the first.
#[derive(Clone, Default)]
pub(super) struct Beats(Arc<Mutex<Vec<Instant>>>);

impl Beats {
    /// The number of the last one committed.
    pub(super) fn last(&self) -> u64 {
        self.with(|times| times.len() as u64)
    }

    /// How long a beat has been committed; `None` when it is not known to be.
    pub(super) fn age(&self, beat: u64) -> Option<Duration> {
        let at = usize::try_from(beat).ok()?.checked_sub(1)?;
        self.with(|times| times.get(at).map(Instant::elapsed))
    }

    /// Commits one more beat, in all tables at once. Its time is taken when the server has answered.
    pub(super) fn beat(&self, session: &mut Session) -> Result<u64> {
        let beat = self.last() + 1;
        let updates = HEARTBEAT.iter().map(|it| {
            let Beaten {
                table, row, column, ..
            } = it;
            format!("UPDATE {table} SET {column} = {beat} WHERE {row};\n")
        });
        let updates: String = updates.collect();
        session.run(&format!("BEGIN;\n{updates}COMMIT;"))?;
        self.with(|times| times.push(Instant::now()));
        Ok(beat)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Instant>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The thread that beats.
pub(super) struct Heartbeat {
    thread: JoinHandle<Result<Session>>,
}

impl Heartbeat {
    /// Beats until `stop`.
    pub(super) fn start(database: &dyn Database, beats: Beats, stop: Stop) -> Result<Self> {
        let mut session = database.session()?;
        let beating = move || {
            while !stop.wait(EVERY) {
                beats.beat(&mut session)?;
            }
            Ok(session)
        };
        let thread = thread::Builder::new()
            .name("heartbeat".into())
            .spawn(beating)?;
        Ok(Self { thread })
    }

    /// Whether it ended.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end after `stop`, and returns its session for a last beat.
    pub(super) fn join(self) -> Result<Session> {
        self.thread.join().map_err(|_| "the heartbeat panicked")?
    }
}
