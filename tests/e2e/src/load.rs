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

/// Runs SQL over and over on a thread of its own. Ends when dropped.
pub struct Load {
    postgres: Postgres,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts writing: `round` gives the SQL of each round, by its number.
    pub fn start(postgres: &Postgres, round: impl Fn(u64) -> String + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicU64::new(0));
        let (server, ended, count) = (postgres.clone(), Arc::clone(&stop), Arc::clone(&rounds));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                // The server may be down for a moment: what was not committed is written again.
                if server.psql(&round(number)).is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self {
            postgres: postgres.clone(),
            stop,
            rounds,
            thread: Some(thread),
        }
    }

    /// How many rounds were committed.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Waits until so many more rounds are committed.
    pub fn wait_for(&self, more: u64) -> Outcome {
        let goal = self.rounds() + more;
        wait_until("the writer to go on", LIMIT, || Ok(self.rounds() >= goal))?;
        Ok(())
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

    /// Stops after the round that is being written.
    pub fn stop(&mut self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| "the writer panicked")?;
        }
        Ok(())
    }

    /// Stops, and waits until the source has confirmed to the server that everything is durable.
    pub fn finish(&mut self, slot: &str) -> Outcome {
        self.stop()?;
        self.wait_confirmed(slot)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
