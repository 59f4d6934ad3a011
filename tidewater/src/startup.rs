//! The worker's start, which may come before its brokers': it is tried until they answer.

use std::{sync::Arc, time::Duration};

use api::Opening;
use connect_core::{Error, Result, Verdict};
use connect_log::Log;
use connect_runtime::{Herder, RunningWorker, Runtime, Witness, WorkerConfig};
use tokio::time::{Instant, interval, sleep};

use crate::plugins;

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked why the start takes long.
const LOOK: Duration = Duration::from_secs(1);

/// Starts the runtime. While the brokers are away it waits, for `worker.startup.timeout.ms` at most, and `/health` and the log
/// say for what; any other error ends the start at once. A log that can be reached is read for as long as it takes.
pub(crate) async fn start(
    config: WorkerConfig,
    log: Arc<dyn Log>,
    opening: &Opening,
    witness: &Witness,
) -> Result<(Herder, RunningWorker)> {
    let mut watch = Watch::new(&config, opening);
    loop {
        let (log, witness) = (Arc::clone(&log), witness.clone());
        let starting =
            Runtime::start_with(config.clone(), Arc::clone(&log), plugins::all(), witness);
        let error = tokio::select! {
            started = starting => match started {
                Err(error) if error.verdict() == Verdict::Retry => error,
                started => return started,
            },
            error = watch.away_too_long(&*log) => return Err(error),
        };
        watch.tell(&error);
        if Instant::now() >= watch.deadline {
            return Err(watch.late(error));
        }
        sleep(PAUSE).await;
    }
}

/// Tells why the start takes long: each reason once in the log, the newest in `/health`.
struct Watch<'a> {
    opening: &'a Opening,
    waits_for: String,
    limit: Duration,
    deadline: Instant,
    told: String,
}

impl<'a> Watch<'a> {
    fn new(config: &WorkerConfig, opening: &'a Opening) -> Self {
        let waits_for = match &config.bootstrap_servers {
            Some(brokers) => format!("It waits for the Kafka cluster at {brokers}."),
            None => "It reads its log.".to_owned(),
        };
        opening.waits_for(waits_for.as_str());
        let limit = config.startup_timeout.0;
        Self {
            opening,
            waits_for,
            limit,
            deadline: Instant::now() + limit,
            told: String::new(),
        }
    }

    /// Looks again and again; ends when the log is away and the time is over.
    async fn away_too_long(&mut self, log: &dyn Log) -> Error {
        let mut moments = interval(LOOK);
        // The first comes at once.
        moments.tick().await;
        loop {
            moments.tick().await;
            if let Err(error) = log.health().await {
                self.tell(&error);
                if Instant::now() >= self.deadline {
                    return self.late(error);
                }
            }
        }
    }

    fn tell(&mut self, error: &Error) {
        let why = error.to_string();
        if why == self.told {
            return;
        }
        let told = format!("{} The last error was: {why}", self.waits_for);
        self.opening.waits_for(told);
        let (waits_for, remedy) = (&self.waits_for, error.code().remedy);
        tracing::warn!(error = %why, "the worker is starting. {waits_for} Remedy: {remedy}");
        self.told = why;
    }

    fn late(&self, cause: Error) -> Error {
        let what = format!(
            "the worker could not start within {} ms (`worker.startup.timeout.ms`)",
            self.limit.as_millis()
        );
        Error::new(&connect_log::UNAVAILABLE, what).caused_by(cause)
    }
}
