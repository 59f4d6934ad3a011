//! The scene of most tests: a database under load, a worker, a source that follows.

use serde_json::Value;
use stack::{Postgres, Stack};

use crate::{
    Load, Outcome, Worker, WorkerOptions,
    counters::{self, History},
    items,
};

/// The source connector.
pub const SOURCE: &str = "faults";
/// What its topics begin with.
pub const PREFIX: &str = SOURCE;
/// Its slot.
pub const SLOT: &str = "faults_slot";
/// Its publication.
pub const PUBLICATION: &str = "faults_publication";
/// The topic of the counters.
pub const TOPIC: &str = "faults.public.counters";

/// So many rows take longer to read than a kill takes to come.
const ROWS: u32 = 200_000;

/// A table that is written to, and a source that streams it.
pub struct Scene {
    /// The database.
    pub postgres: Postgres,
    /// The worker.
    pub worker: Worker,
    /// What writes.
    pub load: Load,
}

impl Scene {
    /// Makes the counters, starts a worker and the source of this configuration, and counts once it streams.
    pub fn counting(
        stack: &Stack,
        postgres: Postgres,
        options: WorkerOptions,
        config: &Value,
    ) -> Outcome<Self> {
        counters::table(&postgres)?;
        Self::start(stack, postgres, options, config, counters::count)
    }

    /// The same, where counting begins before the source, and the table is so large that it is still being read.
    pub fn reading(
        stack: &Stack,
        postgres: Postgres,
        options: WorkerOptions,
        config: &Value,
    ) -> Outcome<Self> {
        counters::large_table(&postgres, ROWS)?;
        let load = counters::count(&postgres);
        let worker = Worker::start(stack, options)?;
        worker.rest().create(SOURCE, config)?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        Ok(Self {
            postgres,
            worker,
            load,
        })
    }

    /// The same for rows that come and go.
    pub fn churning(
        stack: &Stack,
        postgres: Postgres,
        options: WorkerOptions,
        config: &Value,
    ) -> Outcome<Self> {
        items::table(&postgres)?;
        Self::start(stack, postgres, options, config, items::churn)
    }

    fn start(
        stack: &Stack,
        postgres: Postgres,
        options: WorkerOptions,
        config: &Value,
        load: fn(&Postgres) -> Load,
    ) -> Outcome<Self> {
        let worker = Worker::start(stack, options)?;
        worker.rest().create(SOURCE, config)?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        worker.rest().wait_for_stream(SOURCE)?;
        let load = load(&postgres);
        Ok(Self {
            postgres,
            worker,
            load,
        })
    }

    /// Strikes in the middle of the load; the status of `connector` must tell it, and everything must go on by itself
    /// when it is mended.
    pub fn survive(&self, connector: &str, fault: &Fault<'_>) -> Outcome {
        self.survived(connector, fault)
            .map_err(|error| format!("{}: {error}", fault.name).into())
    }

    fn survived(&self, connector: &str, fault: &Fault<'_>) -> Outcome {
        let rest = self.worker.rest();
        self.load.wait_for(1)?;
        (fault.strike)()?;
        rest.wait_for_trouble(connector, fault.says)?;
        (fault.mend)()?;
        rest.wait_for(connector, "RUNNING")?;
        self.load.wait_for(1)?;
        self.load.wait_confirmed(SLOT)
    }

    /// Kills the worker at different moments of the load, and starts it again.
    pub fn kill_worker(&self, times: u32) -> Outcome {
        for kill in 0..times {
            self.load.wait_for(1 + u64::from(kill % 5) * 2)?;
            self.worker.server().kill9()?;
            self.worker.server().start()?;
        }
        Ok(())
    }

    /// Stops counting and the worker, and gives the history of each counter, which must end as the table does.
    pub fn finish(mut self) -> Outcome<History> {
        self.load.finish(SLOT)?;
        let history = counters::history(&self.worker.stop_and_read(TOPIC)?)?;
        counters::assert_complete(&history, &self.postgres)?;
        Ok(history)
    }
}

/// Something that goes wrong, and is put right again.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// Its name in messages.
    pub name: &'static str,
    /// What the trace of the task says meanwhile.
    pub says: &'static str,
    /// What goes wrong.
    pub strike: &'a dyn Fn() -> Outcome,
    /// What ends it.
    pub mend: &'a dyn Fn() -> Outcome,
}
