//! The running log: shared state and its two threads.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

use connect_core::{Error, Result, error::INTERNAL};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    groups::Groups,
    keeper::{Alarm, Keeper},
    partition::{Catalog, Partition, Topic},
    queue::{Queue, Room, closed},
    request::{Request, Work},
    settings::Settings,
    store::{Loaded, LoadedTopic, Store},
    writer::Writer,
};

/// How much memory and time the log may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes that wait for the writer.
    pub(crate) queue_bytes: usize,
    /// Bytes of the newest blocks kept for readers.
    pub(crate) recent_bytes: usize,
    /// Bytes of one transaction.
    pub(crate) transaction_bytes: usize,
    /// Time between two rounds of retention and compaction.
    pub(crate) upkeep_interval: Duration,
}

/// What appenders, readers and the threads share.
pub(crate) struct Shared<S> {
    pub(crate) store: Arc<S>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) catalog: Catalog,
    pub(crate) groups: Groups,
    pub(crate) keeper: Alarm,
    pub(crate) limits: Limits,
    pub(crate) cluster_id: String,
}

/// The log as long as anybody holds it. Dropped, it writes what waits and ends its threads.
pub(crate) struct Engine<S: Store> {
    pub(crate) shared: Arc<Shared<S>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<S: Store> Engine<S> {
    /// Loads what the store knows and starts the threads.
    pub(crate) fn start(store: S, limits: Limits) -> Result<Arc<Self>> {
        let loaded = store.load()?;
        let (next_topic, next_partition) = (loaded.next_topic, loaded.next_partition);
        let shared = Arc::new(Shared {
            store: Arc::new(store),
            queue: Queue::new(limits.queue_bytes),
            catalog: Catalog::default(),
            groups: Groups::default(),
            keeper: Alarm::default(),
            limits,
            cluster_id: loaded.cluster_id.clone(),
        });
        shared.remember(loaded)?;
        let writer = Writer::new(Arc::clone(&shared), next_topic, next_partition);
        let keeper = Keeper::new(Arc::clone(&shared));
        let engine = Arc::new(Self {
            shared,
            threads: Mutex::default(),
        });
        engine.spawn("log-writer", move || writer.run())?;
        engine.spawn("log-keeper", move || keeper.run())?;
        Ok(engine)
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = Builder::new().name(name.to_owned()).spawn(work);
        let thread =
            thread.map_err(|e| Error::new(&INTERNAL, "a thread did not start").caused_by(e))?;
        self.threads.lock().push(thread);
        Ok(())
    }
}

impl<S: Store> Drop for Engine<S> {
    fn drop(&mut self) {
        self.shared.queue.close();
        self.shared.keeper.stop();
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the log panicked");
            }
        }
    }
}

impl<S: Store> Shared<S> {
    /// Asks the writer for something and waits until it is durable.
    pub(crate) async fn ask(&self, work: Work) -> Result<()> {
        let answer = self.send(work)?;
        answer.await.map_err(|_| closed())?
    }

    /// The same, for a thread that may block.
    pub(crate) fn ask_blocking(&self, work: Work) -> Result<()> {
        let answer = self.send(work)?;
        answer.blocking_recv().map_err(|_| closed())?
    }

    fn send(&self, work: Work) -> Result<oneshot::Receiver<Result<()>>> {
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        self.queue.push(Request { work, reply }, Room::default())?;
        Ok(answer)
    }

    fn remember(&self, loaded: Loaded) -> Result<()> {
        for topic in loaded.topics {
            self.catalog.insert(remembered(topic)?);
        }
        for (group, at, offset) in loaded.offsets {
            self.groups.set_offsets(&group, &[(at, Some(offset))]);
        }
        Ok(())
    }
}

fn remembered(topic: LoadedTopic) -> Result<Topic> {
    let given: BTreeMap<String, String> = serde_json::from_str(&topic.settings).map_err(|e| {
        Error::new(
            &crate::error::UNUSABLE,
            "the settings of a topic are damaged",
        )
        .context("topic", &topic.name)
        .caused_by(e)
    })?;
    let name: Arc<str> = Arc::from(topic.name);
    let partitions = topic.partitions.into_iter().zip(0..);
    let partitions = partitions
        .map(|((id, extent), index)| Arc::new(Partition::new(id, Arc::clone(&name), index, extent)))
        .collect();
    let settings = Settings::parse(given)?;
    Ok(Topic::new(topic.id, name, partitions, settings))
}
