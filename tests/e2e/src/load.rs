//! A writer that keeps a database busy, whatever happens to the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use stack::{Postgres, wait_until};

use crate::Outcome;

/// How long a writer may take to get on, and a source to follow it.
const LIMIT: Duration = Duration::from_secs(120);

/// Does something over and over on a thread of its own. Ends when dropped.
pub struct Rounds {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Starts: `round` does one, by its number, and tells whether it is done.
    pub fn start(round: impl Fn(u64) -> bool + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicU64::new(0));
        let (ended, count) = (Arc::clone(&stop), Arc::clone(&rounds));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                // What was not done is done again.
                if round(count.load(Ordering::Relaxed)) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self {
            stop,
            rounds,
            thread: Some(thread),
        }
    }

    /// How many were done.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Waits until so many more are done.
    pub fn wait_for(&self, more: u64) -> Outcome {
        let goal = self.rounds() + more;
        wait_until("the writer to go on", LIMIT, || Ok(self.rounds() >= goal))?;
        Ok(())
    }

    /// Stops after the one at hand.
    pub fn stop(&mut self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| "the writer panicked")?;
        }
        Ok(())
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Runs SQL over and over.
pub struct Load {
    postgres: Postgres,
    writer: Rounds,
}

impl Load {
    /// Starts writing: `round` gives the SQL of each round, by its number.
    pub fn start(postgres: &Postgres, round: impl Fn(u64) -> String + Send + 'static) -> Self {
        let server = postgres.clone();
        Self {
            postgres: postgres.clone(),
            // The server may be down for a moment.
            writer: Rounds::start(move |number| server.psql(&round(number)).is_ok()),
        }
    }

    /// How many rounds were committed.
    pub fn rounds(&self) -> u64 {
        self.writer.rounds()
    }

    /// Waits until so many more rounds are committed.
    pub fn wait_for(&self, more: u64) -> Outcome {
        self.writer.wait_for(more)
    }

    /// Waits until the source has confirmed to the server what is committed now.
    pub fn wait_confirmed(&self, slot: &str) -> Outcome {
        let end = self.postgres.psql("select pg_current_wal_lsn()")?;
        let confirmed = format!(
            "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{slot}'",
            end.trim()
        );
        wait_until("the slot to be confirmed", LIMIT, || {
            Ok(self.postgres.psql(&confirmed)?.trim() == "t")
        })?;
        Ok(())
    }

    /// Only the writer.
    pub fn into_rounds(self) -> Rounds {
        self.writer
    }

    /// Stops after the round that is being written.
    pub fn stop(&mut self) -> Outcome {
        self.writer.stop()
    }

    /// Stops, and waits until the source has confirmed to the server that everything is durable.
    pub fn finish(&mut self, slot: &str) -> Outcome {
        self.stop()?;
        self.wait_confirmed(slot)
    }
}
