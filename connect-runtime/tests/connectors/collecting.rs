//! A sink that collects, and can do everything wrong.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use connect_core::{
    Batch, Error, Finding, Rejects, Result, SinkConnector, SinkTask, TaskPlan, config::Rules,
    meter::Meter, plugin::About,
};

use super::counting::AWAY;

/// Where records go.
#[derive(Default)]
pub struct Destination {
    state: Mutex<Collected>,
}

#[derive(Default, Clone)]
pub struct Collected {
    /// Topic and value of every record, in the order of writes.
    pub records: Vec<(String, String)>,
    /// How often it was flushed.
    pub flushes: u32,
    /// The next writes fail.
    pub away: u32,
    /// Writes never end.
    pub hangs: bool,
    /// Values that contain this are refused.
    pub refuses: Option<String>,
}

static DESTINATIONS: LazyLock<Mutex<HashMap<String, Arc<Destination>>>> =
    LazyLock::new(Mutex::default);

impl Destination {
    pub fn named(name: &str) -> Arc<Self> {
        Arc::clone(
            DESTINATIONS
                .lock()
                .unwrap()
                .entry(name.to_owned())
                .or_default(),
        )
    }

    pub fn set(&self, change: impl FnOnce(&mut Collected)) {
        change(&mut self.state.lock().unwrap());
    }

    pub fn get(&self) -> Collected {
        self.state.lock().unwrap().clone()
    }

    /// The ids in the records, in the order of writes.
    pub fn ids(&self) -> Vec<u64> {
        let records = self.get().records;
        records.iter().map(|(_, id)| id.parse().unwrap()).collect()
    }
}

connect_core::config! {
    /// Collects.
    pub struct CollectingConfig;
    group "Collecting" {
        /// Which destination.
        destination: String = required, "destination", High;
    }
}
impl Rules for CollectingConfig {}

pub struct Collecting;

pub struct CollectingTask(Arc<Destination>);

impl SinkConnector for Collecting {
    type Config = CollectingConfig;
    type Task = CollectingTask;
    const ABOUT: About = About {
        class: "test.CollectingSinkConnector",
        aliases: &[],
        task_class: "test.CollectingSinkTask",
        version: "1.2.3",
        summary: "Collects.",
    };

    async fn check(_config: &CollectingConfig) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(_config: &CollectingConfig, max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new(); max])
    }

    fn task(config: CollectingConfig, _plan: TaskPlan) -> Result<CollectingTask> {
        Ok(CollectingTask(Destination::named(&config.destination)))
    }
}

impl SinkTask for CollectingTask {
    async fn open(&mut self, _meter: Meter) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Rejects> {
        if self.0.get().hangs {
            std::future::pending::<()>().await;
        }
        if self.0.get().away > 0 {
            self.0.set(|state| state.away -= 1);
            return Err(Error::new(&AWAY, "the destination is away"));
        }
        let mut rejects = Rejects::new();
        for (at, row) in batch.rows().enumerate() {
            let id = row
                .value()
                .get("id")
                .and_then(|id| id.text())
                .unwrap_or_default()
                .into_owned();
            if self.0.get().refuses.is_some_and(|refused| refused == id) {
                rejects.push((at, Error::record("the destination does not like it")));
                continue;
            }
            self.0
                .set(|state| state.records.push((row.topic().to_string(), id)));
        }
        Ok(rejects)
    }

    async fn flush(&mut self) -> Result<()> {
        self.0.set(|state| state.flushes += 1);
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
