//! Start and stop of one worker.

use std::{sync::Arc, time::Duration};

use connect_core::{Result, plugin::Plugin};
use connect_log::Log;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    config_provider::Providers,
    configs::Configs,
    guards::Guarded,
    herder::{Herder, actor::Actor},
    kept::Keeps,
    metrics::Metrics,
    offsets::Offsets,
    outside::Ways,
    plugins::Plugins,
    shared::Shared,
    stage::Stage,
    statuses::Statuses,
    stop::{Stopper, stop},
    worker_config::WorkerConfig,
};

/// Requests that wait for the actor; more wait at the sender.
const COMMANDS: usize = 64;
/// How long the last statuses may take to be stored.
const LAST_STATUSES: Duration = Duration::from_secs(2);

/// Starts workers.
pub struct Runtime;

/// A worker that runs. Dropping it stops nothing: call [`RunningWorker::stop`].
pub struct RunningWorker {
    shared: Arc<Shared>,
    stopper: Stopper,
    actor: JoinHandle<()>,
    statuses: JoinHandle<()>,
}

impl Runtime {
    /// Reads the internal topics, then starts what they say is wanted. Must be called within a Tokio runtime.
    pub async fn start(
        config: WorkerConfig,
        log: Arc<dyn Log>,
        plugins: Vec<Plugin>,
    ) -> Result<(Herder, RunningWorker)> {
        let ((configs, desired), offsets, statuses, cluster_id) = tokio::try_join!(
            Configs::open(&log, &config),
            Offsets::open(&log, &config),
            Statuses::open(&log, &config),
            log.cluster_id(),
        )?;
        let (offsets, statuses) = (Arc::new(offsets), Arc::new(statuses));
        let shared = Arc::new(Shared {
            plugins: Plugins::new(plugins),
            providers: Providers::new(&config)?,
            cluster_id,
            log,
            desired,
            statuses: Arc::clone(&statuses),
            offsets,
            stage: Stage::default(),
            metrics: Metrics::default(),
            ways: Ways::default(),
            guarded: Guarded::default(),
            keeps: Keeps::default(),
            config,
        });
        let (commands, received) = mpsc::channel(COMMANDS);
        let (stopper, stop) = stop();
        let actor = Actor::new(Arc::clone(&shared), configs);
        let worker = RunningWorker {
            shared: Arc::clone(&shared),
            stopper,
            actor: tokio::spawn(actor.run(received, stop)),
            statuses: tokio::spawn(async move { statuses.run().await }),
        };
        Ok((Herder { shared, commands }, worker))
    }
}

impl RunningWorker {
    /// Stops every task: each finishes what is in hand until the deadline, then it is dropped.
    pub async fn stop(self, within: Duration) {
        self.stopper.stop_by(Instant::now() + within);
        if let Err(error) = self.actor.await {
            tracing::error!(%error, "the herder ended badly");
        }
        let stored = timeout(LAST_STATUSES, self.shared.statuses.flushed()).await;
        if stored.is_err() {
            tracing::warn!("the last statuses could not be stored");
        }
        self.statuses.abort();
    }
}
