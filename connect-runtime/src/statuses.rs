//! States of connectors and tasks, and the topics they use, as Kafka Connect stores them in `status.storage.topic`.
//!
//! Memory is the truth for what runs here; a writer follows it, so that a status is honest also while the log is away.

mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use connect_core::Result;
use connect_log::{Log, TopicSpec};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    answers::{State, TaskId, TaskState},
    change::Scope,
    configs::topic_settings,
    internal_topic::{Entry, InternalTopic, Seen},
    place::Place,
    worker_config::WorkerConfig,
};
use record::{StatusKey, TopicUse};

pub(crate) use record::Status;

/// How long the writer waits after an error of the log.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The table of statuses.
pub(crate) struct Statuses {
    memory: Mutex<Memory>,
    changed: Notify,
    written: Notify,
    topic: InternalTopic,
    place: Place,
    worker_id: String,
    generation: i64,
}

#[derive(Default)]
struct Memory {
    connectors: BTreeMap<String, Status>,
    tasks: BTreeMap<TaskId, Status>,
    topics: BTreeMap<String, BTreeMap<String, TopicUse>>,
    /// What runs here: nobody else tells how it is.
    own: BTreeSet<Vec<u8>>,
    /// What the topic does not have yet: the newest value per key, so it is bounded by the number of keys.
    unwritten: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    writing: bool,
}

impl Statuses {
    /// Reads the topic.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
        place: &Place,
    ) -> Result<Self> {
        let spec = TopicSpec {
            name: config.status_topic.as_str().into(),
            partitions: Some(config.status_partitions),
            replication: Some(config.status_replication).filter(|r| *r > 0),
            settings: topic_settings(config, "status.storage."),
        };
        let client_id = format!("{}-statuses", config.group_id);
        let (topic, entries) = InternalTopic::open(log, spec, &client_id).await?;
        let mut memory = Memory::default();
        let mut generation = 0;
        for (key, value) in &entries {
            memory.load(key, value, &mut generation);
        }
        Ok(Self {
            memory: Mutex::new(memory),
            changed: Notify::new(),
            written: Notify::new(),
            topic,
            place: place.clone(),
            worker_id: config.worker_id(),
            generation: generation + 1,
        })
    }

    /// The status of a connector.
    pub(crate) fn connector(&self, name: &str) -> Option<Status> {
        self.memory.lock().connectors.get(name).cloned()
    }

    /// The status of a task.
    pub(crate) fn task(&self, id: &TaskId) -> Option<TaskState> {
        self.memory
            .lock()
            .tasks
            .get(id)
            .map(|status| status.of_task(id.task))
    }

    /// The statuses of a connector's tasks, by id.
    pub(crate) fn tasks_of(&self, connector: &str) -> Vec<TaskState> {
        let memory = self.memory.lock();
        let range = TaskId::new(connector, 0)..=TaskId::new(connector, u32::MAX);
        memory
            .tasks
            .range(range)
            .map(|(id, status)| status.of_task(id.task))
            .collect()
    }

    /// Sets the status of a connector.
    pub(crate) fn set_connector(
        &self,
        name: &str,
        state: State,
        version: Option<&str>,
        trace: Option<String>,
    ) {
        let status = self.status(state, version, trace);
        let mut memory = self.memory.lock();
        let key = StatusKey::Connector(name.to_owned());
        memory.own.insert(key.bytes());
        memory.write(&key, Some(status.bytes()));
        memory.connectors.insert(name.to_owned(), status);
        drop(memory);
        self.changed.notify_one();
    }

    /// Sets the status of a task.
    pub(crate) fn set_task(
        &self,
        id: &TaskId,
        state: State,
        version: Option<&str>,
        trace: Option<String>,
    ) {
        let status = self.status(state, version, trace);
        let mut memory = self.memory.lock();
        let key = StatusKey::Task(id.clone());
        memory.own.insert(key.bytes());
        memory.write(&key, Some(status.bytes()));
        memory.tasks.insert(id.clone(), status);
        drop(memory);
        self.changed.notify_one();
    }

    fn status(&self, state: State, version: Option<&str>, trace: Option<String>) -> Status {
        Status {
            state,
            trace,
            worker_id: self.worker_id.clone(),
            generation: self.generation,
            version: version.map(str::to_owned),
        }
    }

    /// A task does not run here any more: from now on others tell how it is.
    pub(crate) fn release_task(&self, id: &TaskId) {
        let key = StatusKey::Task(id.clone()).bytes();
        self.memory.lock().own.remove(&key);
    }

    /// A connector is not looked after here any more.
    pub(crate) fn release_connector(&self, name: &str) {
        let key = StatusKey::Connector(name.to_owned()).bytes();
        self.memory.lock().own.remove(&key);
    }

    /// Takes in what others tell. Never ends.
    pub(crate) async fn follow(&self) {
        self.topic.follow(|seen| self.memory.lock().see(seen)).await;
    }

    /// Forgets a task.
    pub(crate) fn remove_task(&self, id: &TaskId) {
        let mut memory = self.memory.lock();
        memory.own.remove(&StatusKey::Task(id.clone()).bytes());
        if memory.tasks.remove(id).is_some() {
            memory.write(&StatusKey::Task(id.clone()), None);
        }
        drop(memory);
        self.changed.notify_one();
    }

    /// Forgets a connector, its tasks and its topics.
    pub(crate) fn remove_connector(&self, name: &str) {
        for task in self.tasks_of(name) {
            self.remove_task(&TaskId::new(name, task.id));
        }
        self.reset_topics(name);
        let mut memory = self.memory.lock();
        let key = StatusKey::Connector(name.to_owned()).bytes();
        memory.own.remove(&key);
        if memory.connectors.remove(name).is_some() {
            memory.write(&StatusKey::Connector(name.to_owned()), None);
        }
        drop(memory);
        self.changed.notify_one();
    }

    /// The names of those connectors that have a status.
    pub(crate) fn connectors(&self, scope: &Scope) -> Vec<String> {
        let memory = self.memory.lock();
        let found = scope.of(&memory.connectors);
        found.map(|(name, _)| name.clone()).collect()
    }

    /// The topics that a connector uses.
    pub(crate) fn topics(&self, connector: &str) -> Vec<String> {
        let memory = self.memory.lock();
        memory
            .topics
            .get(connector)
            .map(|uses| uses.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Records that a task uses a topic. Called once per topic and batch, not per record; it costs a lock and two look-ups.
    pub(crate) fn use_topic(&self, id: &TaskId, topic: &str) {
        let mut memory = self.memory.lock();
        if memory
            .topics
            .get(&id.connector)
            .is_some_and(|uses| uses.contains_key(topic))
        {
            return;
        }
        let uses = memory.topics.entry(id.connector.clone()).or_default();
        let discovered = TopicUse::new(topic, id);
        let bytes = discovered.bytes();
        uses.insert(topic.to_owned(), discovered);
        memory.write(
            &StatusKey::Topic(topic.to_owned(), id.connector.clone()),
            Some(bytes),
        );
        drop(memory);
        self.changed.notify_one();
    }

    /// Forgets the topics that a connector uses.
    pub(crate) fn reset_topics(&self, connector: &str) {
        let mut memory = self.memory.lock();
        for topic in memory
            .topics
            .remove(connector)
            .unwrap_or_default()
            .into_keys()
        {
            memory.write(&StatusKey::Topic(topic, connector.to_owned()), None);
        }
        drop(memory);
        self.changed.notify_one();
    }

    /// Writes what changed, for as long as the worker runs.
    pub(crate) async fn run(&self) {
        loop {
            self.changed.notified().await;
            // Who is in no group tells nothing.
            self.place.taken().await;
            while let Err(error) = self.write_once().await {
                tracing::warn!(%error, "statuses cannot be stored now");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }

    /// Waits until everything that was set is stored; the caller sets the limit in time.
    pub(crate) async fn flushed(&self) {
        loop {
            let written = self.written.notified();
            {
                let memory = self.memory.lock();
                if memory.unwritten.is_empty() && !memory.writing {
                    return;
                }
            }
            written.await;
        }
    }

    async fn write_once(&self) -> Result<()> {
        let entries: Vec<Entry> = {
            let mut memory = self.memory.lock();
            memory.writing = true;
            std::mem::take(&mut memory.unwritten).into_iter().collect()
        };
        let outcome = if entries.is_empty() {
            Ok(())
        } else {
            self.topic.write(&entries, self.place.lease()).await
        };
        let mut memory = self.memory.lock();
        memory.writing = false;
        if outcome.is_err() {
            for (key, value) in entries {
                memory.unwritten.entry(key).or_insert(value);
            }
        }
        drop(memory);
        self.written.notify_waiters();
        outcome
    }
}

impl Memory {
    /// A record of the topic: what runs here is known better.
    fn see(&mut self, seen: &Seen<'_>) {
        if self.own.contains(seen.key) || self.unwritten.contains_key(seen.key) {
            return;
        }
        match (seen.value, StatusKey::parse(seen.key)) {
            (Some(value), _) => self.load(seen.key, value, &mut 0),
            (None, Some(StatusKey::Connector(name))) => drop(self.connectors.remove(&name)),
            (None, Some(StatusKey::Task(id))) => drop(self.tasks.remove(&id)),
            (None, Some(StatusKey::Topic(topic, connector))) => {
                if let Some(uses) = self.topics.get_mut(&connector) {
                    uses.remove(&topic);
                }
            }
            (None, None) => {}
        }
    }

    fn write(&mut self, key: &StatusKey, value: Option<Vec<u8>>) {
        self.unwritten.insert(key.bytes(), value);
    }

    fn load(&mut self, key: &[u8], value: &[u8], generation: &mut i64) {
        match StatusKey::parse(key) {
            Some(StatusKey::Topic(topic, connector)) => {
                if let Some(used) = TopicUse::parse(value) {
                    self.topics
                        .entry(connector)
                        .or_default()
                        .insert(topic, used);
                }
            }
            Some(key) => {
                let Some(status) = Status::parse(value) else {
                    return;
                };
                *generation = status.generation.max(*generation);
                match key {
                    StatusKey::Connector(name) => drop(self.connectors.insert(name, status)),
                    StatusKey::Task(id) => drop(self.tasks.insert(id, status)),
                    StatusKey::Topic(..) => {}
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
pub(crate) use record::is_same_to_the_byte;

#[cfg(test)]
mod tests;
