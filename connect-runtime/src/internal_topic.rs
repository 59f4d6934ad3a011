//! One of the worker's compacted topics: read to its end at start, then written by this worker.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Encoded, Error, Result};
use connect_log::{Append, AppenderSpec, At, Event, Log, ReaderSpec, TopicPartition, TopicSpec};
use tokio::sync::Mutex;

use crate::error::INTERNAL_TOPIC;

/// A record to write: its key, and its value or none to remove the key.
pub(crate) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// A compacted topic with one writer.
pub(crate) struct InternalTopic {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    client_id: String,
    appender: Mutex<Option<Box<dyn Append>>>,
}

impl InternalTopic {
    /// Creates the topic if need be, checks its shape, and reads it: the last value of every key that is not removed.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        spec: TopicSpec,
        client_id: &str,
    ) -> Result<(Self, BTreeMap<Vec<u8>, Vec<u8>>)> {
        let spec = spec.compacted();
        log.create_topics(std::slice::from_ref(&spec)).await?;
        check_shape(log, &spec).await?;
        let entries = read_all(log, &spec.name, client_id).await?;
        let topic = Self {
            log: Arc::clone(log),
            topic: spec.name,
            client_id: client_id.to_owned(),
            appender: Mutex::new(None),
        };
        Ok((topic, entries))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.topic
    }

    /// Writes records in order and waits until they are durable.
    pub(crate) async fn write(&self, entries: &[Entry]) -> Result<()> {
        let mut records = Encoded::default();
        for (key, value) in entries {
            records.push(&self.topic, Some(key), value.as_deref(), -1);
        }
        let mut slot = self.appender.lock().await;
        let appender = match &mut *slot {
            Some(appender) => appender,
            empty => empty.insert(self.log.appender(self.spec()).await?),
        };
        let (appended, mut durable) = (appender.append(&records).await, appender.durable());
        if appended.is_err() {
            // An appender that failed takes nothing more: the next write makes a new one.
            *slot = None;
        }
        drop(slot);
        let appended = appended?;
        if let Some((_, error)) = appended.refused.into_iter().next() {
            return Err(error);
        }
        let reached = durable.reach(appended.ticket).await;
        if reached.is_err() {
            *self.appender.lock().await = None;
        }
        reached
    }

    fn spec(&self) -> AppenderSpec {
        AppenderSpec {
            client_id: self.client_id.clone(),
            ..AppenderSpec::default()
        }
    }
}

/// Kafka Connect's rules: the topic is compacted, and the one of configurations has one partition.
async fn check_shape(log: &Arc<dyn Log>, spec: &TopicSpec) -> Result<()> {
    let Some(info) = log.topic(&spec.name).await? else {
        return Ok(());
    };
    let policy = info
        .settings
        .get("cleanup.policy")
        .map_or("compact", String::as_str);
    if policy != "compact" {
        let what = format!(
            "Topic '{}' must have 'cleanup.policy=compact', but it is '{policy}'",
            spec.name
        );
        return Err(Error::new(&INTERNAL_TOPIC, what));
    }
    if spec.partitions == Some(1) && info.partitions != 1 {
        let what = format!(
            "Topic '{}' must have a single partition, but it has {}",
            spec.name, info.partitions
        );
        return Err(Error::new(&INTERNAL_TOPIC, what));
    }
    Ok(())
}

async fn read_all(
    log: &Arc<dyn Log>,
    topic: &Arc<str>,
    client_id: &str,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let partitions = log.topic(topic).await?.map_or(1, |info| info.partitions);
    let (mut from, mut ends) = (BTreeMap::new(), BTreeMap::new());
    for partition in 0..partitions {
        let of = TopicPartition::new(Arc::clone(topic), partition);
        let (start, end) = (
            log.offset_at(&of, At::Earliest).await?,
            log.offset_at(&of, At::Latest).await?,
        );
        if start < end {
            ends.insert(partition, end);
            from.insert(of, start);
        }
    }
    let mut entries = BTreeMap::new();
    if from.is_empty() {
        return Ok(entries);
    }
    let spec = ReaderSpec {
        client_id: client_id.to_owned(),
        ..ReaderSpec::default()
    };
    let mut reader = log.reader(spec).await?;
    reader.assign(&from).await?;
    let mut records = Encoded::default();
    while !ends.is_empty() {
        records.clear();
        let event = reader.poll(&mut records, Duration::from_secs(1)).await?;
        // Offsets may end in a gap: then all is read when nothing more comes.
        if event == Event::Idle && reader.lag().values().all(|lag| *lag <= 0) {
            break;
        }
        take(&records, &mut entries, &mut ends);
    }
    reader.close().await?;
    Ok(entries)
}

fn take(
    records: &Encoded,
    entries: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    ends: &mut BTreeMap<i32, i64>,
) {
    for record in &records.records {
        if let Some(key) = records.key(record) {
            match records.value(record) {
                Some(value) => entries.insert(key.to_vec(), value.to_vec()),
                None => entries.remove(key),
            };
        }
        let partition = record.partition.unwrap_or(0);
        if ends
            .get(&partition)
            .is_some_and(|end| record.offset + 1 >= *end)
        {
            ends.remove(&partition);
        }
    }
}
