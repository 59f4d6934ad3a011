//! How many partitions topics have, and whether that is still so: new ones have to be assigned.

use std::sync::Arc;

use connect_core::Result;
use kafka_protocol::ResponseError as Kafka;
use tokio::{task::JoinHandle, time::sleep};

use super::assign::Counts;
use crate::kafka::{
    consumer::{places, plan::Shared},
    wire::{Verdict, verdict},
};

/// What a leader looks after.
pub(super) struct Watched {
    pub(super) topics: Vec<Arc<str>>,
    /// As it was assigned.
    pub(super) counts: Counts,
}

/// A look at them every few seconds, for as long as this is there.
pub(super) struct Watcher(Option<JoinHandle<()>>);

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Watcher {
    pub(super) fn start(shared: &Arc<Shared>, watched: Option<Watched>) -> Self {
        let task = |watched| tokio::spawn(until_changed(Arc::clone(shared), watched));
        Self(watched.map(task))
    }

    /// Ends when something has changed.
    pub(super) async fn changed(&mut self) {
        match &mut self.0 {
            Some(task) => drop(task.await),
            None => return std::future::pending().await,
        }
        self.0 = None;
    }
}

async fn until_changed(shared: Arc<Shared>, watched: Watched) {
    loop {
        sleep(shared.settings.refresh).await;
        match counts(&shared, &watched.topics).await {
            Ok(counts) if counts != watched.counts => return,
            _ => {}
        }
    }
}

/// The partitions of those topics that are there. That we must not see one is told to the reader.
pub(super) async fn counts(shared: &Shared, topics: &[Arc<str>]) -> Result<Counts> {
    let answer = places::ask(&shared.cluster, topics).await?;
    let mut counts = Counts::new();
    for topic in &answer.topics {
        let name = topic.name.as_ref().map(|name| name.0.to_string());
        let name = name.unwrap_or_default();
        match verdict("find a topic", topic.error_code) {
            Verdict::Done => {
                let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
                counts.insert(name, count);
            }
            Verdict::Never(error) if topic.error_code == Kafka::TopicAuthorizationFailed.code() => {
                shared.fail(error.context("topic", name));
            }
            _ => {}
        }
    }
    Ok(counts)
}
