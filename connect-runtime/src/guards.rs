//! One guard per source connector that exists, whatever state it is in: see [`connect_core::SourceConnector::guard`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Properties, Result, guard::Guard};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::{
    change::Scope,
    herder::state::{Edition, RunningConnector},
    logs,
    shared::Shared,
};

/// How long after an error a guard is called again.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// What the guards show, by connector.
#[derive(Debug, Default)]
pub(crate) struct Guarded(Mutex<BTreeMap<String, Guard>>);

impl Guarded {
    /// What the status of a connector has to tell.
    pub(crate) fn notice(&self, connector: &str) -> Option<String> {
        self.0.lock().get(connector)?.notice()
    }

    /// All that is shown.
    pub(crate) fn all(&self) -> Vec<(String, Guard)> {
        let all = self.0.lock();
        let pair = |(name, guard): (&String, &Guard)| (name.clone(), guard.clone());
        all.iter().map(pair).collect()
    }
}

/// The guards that run. Dropping it ends them.
#[derive(Debug, Default)]
pub(crate) struct Guards(BTreeMap<String, Running>);

#[derive(Debug)]
struct Running {
    edition: Edition,
    /// The one task; a set ends its tasks when it is dropped.
    _task: JoinSet<()>,
}

impl Guards {
    /// Starts and ends guards, so that each connector that this worker looks after has one with its present configuration.
    /// `scope`: those of which something has changed.
    pub(crate) fn settle(
        &mut self,
        shared: &Arc<Shared>,
        wanted: &BTreeMap<String, RunningConnector>,
        scope: &Scope,
    ) {
        let desired = shared.desired.read();
        let mut guarded = shared.guarded.0.lock();
        let edition = |name: &String| wanted.get(name).map(|connector| connector.edition);
        let over = scope.of(&self.0);
        let over = over.filter(|(name, guard)| edition(name) != Some(guard.edition));
        let over: Vec<String> = over.map(|(name, _)| name.clone()).collect();
        for name in over {
            self.0.remove(&name);
            guarded.remove(&name);
        }
        for (name, RunningConnector { edition, .. }) in scope.of(wanted) {
            let connector = desired.connectors.get(name);
            if let Some(connector) = connector.filter(|_| !self.0.contains_key(name)) {
                let guard = Guard::keeping(shared.keep(name));
                guarded.insert(name.clone(), guard.clone());
                let (shared, config) = (Arc::clone(shared), connector.config.clone());
                let mut task = JoinSet::new();
                let looks = look_after(shared, name.clone(), config, guard);
                task.spawn(looks.instrument(logs::of_connector(name)));
                let running = Running {
                    edition: *edition,
                    _task: task,
                };
                self.0.insert(name.clone(), running);
            }
        }
    }
}

async fn look_after(shared: Arc<Shared>, name: String, config: Properties, guard: Guard) {
    let mut last = String::new();
    while let Err(error) = once(&shared, &config, guard.clone()).await {
        let report = error.report();
        // A server that is away for hours is one line in the log.
        if report != last {
            tracing::warn!(connector = name, %error, "what the connector holds on its server cannot be watched now");
            last = report;
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

async fn once(shared: &Shared, config: &Properties, guard: Guard) -> Result<()> {
    let class = config.get("connector.class").map_or("", String::as_str);
    let plugin = shared.plugins.connector(class)?;
    let resolved = shared.providers.resolve(config)?;
    plugin.guard(resolved, guard).await
}
