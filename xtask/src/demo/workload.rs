//! The steady workload.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Result, database::Database, inventory::Inventory, mix::Mix, stop::Stop};

/// Rows a second.
pub(super) const RATE: u32 = 1_000;

const TICK: Duration = Duration::from_millis(20);

/// The thread that writes.
pub(super) struct Workload {
    rows: Arc<AtomicU64>,
    thread: JoinHandle<Result<()>>,
}

impl Workload {
    /// Writes [`RATE`] rows a second until `stop`.
    pub(super) fn start(database: &dyn Database, inventory: Inventory, stop: Stop) -> Result<Self> {
        let mut session = database.session()?;
        let rows = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&rows);
        let mut mix = Mix::new(inventory, database.phrases());
        let working = move || {
            let mut due = 0.0;
            let mut before = Instant::now();
            while !stop.wait(TICK) {
                let now = Instant::now();
                due += (now - before).as_secs_f64() * f64::from(RATE);
                before = now;
                // A database that was slow is not flooded afterwards.
                due = due.min(f64::from(RATE));
                while due > 0.0 && !stop.is_set() {
                    let sql = mix.next();
                    let written = session.run(&sql)?;
                    if sql.contains("COMMIT") {
                        count.fetch_add(written, Ordering::Relaxed);
                    }
                    due -= written as f64;
                }
            }
            Ok(())
        };
        let thread = thread::Builder::new()
            .name("workload".into())
            .spawn(working)?;
        Ok(Self { rows, thread })
    }

    /// Rows inserted, updated and deleted by committed transactions.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Whether it ended.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end after `stop`.
    pub(super) fn join(self) -> Result<()> {
        self.thread.join().map_err(|_| "the workload panicked")?
    }
}
