//! One of the workers' compacted topics: read to its end at start, followed from then on, and written.

mod follow;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use connect_core::{Encoded, Error, Result, error::INTERNAL};
use connect_log::{
    Append, AppenderSpec, Lease, Log, Offsets, Pace, ReaderSpec, TopicSpec, read_to_end,
};
use follow::Following;
use tokio::{runtime::Handle, sync::Mutex};

use crate::error::INTERNAL_TOPIC;

/// A record to write: its key, and its value or none to remove the key.
pub(crate) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// The header that tells who wrote a record of the leader, and as its how manieth.
const WRITTEN: &str = "tidewater.write";

/// A record as it is read.
pub(crate) struct Seen<'a> {
    pub(crate) key: &'a [u8],
    /// `None` when the key was removed.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) timestamp_ms: i64,
    /// Who wrote it and its number, if it has one.
    pub(crate) written: Option<(&'a str, u64)>,
}

/// A compacted topic.
pub(crate) struct InternalTopic {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    client_id: String,
    appender: Mutex<Option<Box<dyn Append>>>,
    /// Up to where it has been read.
    read: Mutex<Offsets>,
    following: Following,
    runtime: Handle,
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
        let topic = Self {
            log: Arc::clone(log),
            topic: spec.name,
            client_id: client_id.to_owned(),
            appender: Mutex::new(None),
            read: Mutex::default(),
            following: Following::default(),
            runtime: Handle::current(),
        };
        let mut entries = BTreeMap::new();
        topic
            .read_on(|seen| {
                match seen.value {
                    Some(value) => entries.insert(seen.key.to_vec(), value.to_vec()),
                    None => entries.remove(seen.key),
                };
            })
            .await?;
        Ok((topic, entries))
    }

    /// Everything that was written since it was last read, by whomever; transactions that are open now are waited for.
    pub(crate) async fn read_on(&self, mut each: impl FnMut(&Seen<'_>)) -> Result<()> {
        let mut read = self.read.lock().await;
        let (mut next, mut seen) = (read.clone(), read.clone());
        read_to_end(&*self.log, &self.topic, &mut next, self.reader(true), |r| {
            deliver(&mut seen, r, &mut each);
        })
        .await?;
        *read = next;
        Ok(())
    }

    fn reader(&self, at_once: bool) -> ReaderSpec {
        // Who waits for the end is told of it by an answer that is empty.
        let wait = at_once.then(|| ("fetch.max.wait.ms".to_owned(), "10".to_owned()));
        ReaderSpec {
            client_id: self.client_id.clone(),
            settings: wait.into_iter().collect(),
            ..ReaderSpec::default()
        }
    }

    /// Where its writer lives.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.topic
    }

    /// Writes records in order and waits until they are durable. Nothing is written without the lease.
    pub(crate) async fn write(&self, entries: &[Entry], lease: Lease) -> Result<()> {
        let mut records = Encoded::default();
        for (key, value) in entries {
            records.push(&self.topic, Some(key), value.as_deref(), -1);
        }
        let mut slot = self.appender.lock().await;
        let appender = match &mut *slot {
            Some(appender) => appender,
            empty => empty.insert(self.open_appender(lease).await?),
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

    /// Tasks write here from runtimes of their own, which end with them: the appender must not.
    async fn open_appender(&self, lease: Lease) -> Result<Box<dyn Append>> {
        let log = Arc::clone(&self.log);
        let spec = AppenderSpec {
            client_id: self.client_id.clone(),
            lease,
            ..AppenderSpec::default()
        };
        let opened = self
            .runtime
            .spawn(async move { log.appender(spec).await })
            .await;
        opened.unwrap_or_else(|e| {
            Err(Error::new(&INTERNAL, "an appender was not opened").caused_by(e))
        })
    }
}

/// Gives the records that are new, and moves the offsets behind them.
fn deliver(next: &mut Offsets, records: &Encoded, each: &mut impl FnMut(&Seen<'_>)) {
    for record in &records.records {
        let at = next.entry(record.partition.unwrap_or(0)).or_default();
        if record.offset < *at {
            continue;
        }
        *at = record.offset + 1;
        let headers = records.headers(record).iter();
        let header = headers.rev().find(|header| &*header.name == WRITTEN);
        let written = header.and_then(|header| {
            let value = records.slice(header.value.as_ref()?);
            let (by, number) = std::str::from_utf8(value).ok()?.rsplit_once('/')?;
            Some((by, number.parse().ok()?))
        });
        each(&Seen {
            key: records.key(record).unwrap_or(&[]),
            value: records.value(record),
            timestamp_ms: record.timestamp_ms,
            written,
        });
    }
}

/// Writes as the leader: to several topics at once, all or nothing. A new one ends the one before it, on whatever worker that is.
pub(crate) struct Pen {
    appender: Box<dyn Append>,
    by: Arc<str>,
    numbers: Arc<AtomicU64>,
}

impl Pen {
    /// `by` is this process, whose records have growing `numbers`.
    pub(crate) async fn take(
        log: &Arc<dyn Log>,
        group: &str,
        by: &Arc<str>,
        numbers: &Arc<AtomicU64>,
    ) -> Result<Self> {
        // The id that the leader of a Kafka Connect cluster has (KIP-618).
        let spec = AppenderSpec {
            client_id: format!("{group}-leader"),
            transactional_id: Some(format!("connect-cluster-{group}")),
            pace: Pace::Rare,
            ..AppenderSpec::default()
        };
        Ok(Self {
            appender: log.appender(spec).await?,
            by: Arc::clone(by),
            numbers: Arc::clone(numbers),
        })
    }

    /// Makes records durable. Gives the number of the first one; the others follow it. After an error this pen is of no more use.
    pub(crate) async fn write(&mut self, parts: &[(&Arc<str>, &[Entry])]) -> Result<u64> {
        let mut records = Encoded::default();
        let count: usize = parts.iter().map(|(_, entries)| entries.len()).sum();
        let first = self.numbers.fetch_add(count as u64, Ordering::AcqRel);
        let all = parts.iter();
        let all = all.flat_map(|(topic, entries)| entries.iter().map(move |entry| (topic, entry)));
        for ((topic, (key, value)), number) in all.zip(first..) {
            records.push(topic, Some(key), value.as_deref(), -1);
            records.push_header(WRITTEN, Some(format!("{}/{number}", self.by).as_bytes()));
        }
        let appended = self.appender.append(&records).await?;
        if let Some((_, error)) = appended.refused.into_iter().next() {
            self.appender.abort().await?;
            return Err(error);
        }
        self.appender.commit(None).await?;
        Ok(first)
    }
}

/// Tells records of our own, which count when they are durable, from those of others, which count when they are read.
#[derive(Debug)]
pub(crate) struct Own {
    by: Arc<str>,
    /// The number of the last one that counts.
    counted: Option<u64>,
}

impl Own {
    pub(crate) fn new(by: &Arc<str>) -> Self {
        Self {
            by: Arc::clone(by),
            counted: None,
        }
    }

    /// Whether a record that was read counts now.
    pub(crate) fn is_new(&mut self, written: Option<(&str, u64)>) -> bool {
        match written {
            Some((by, number)) if *by == *self.by => self.count(number),
            _ => true,
        }
    }

    /// Whether our own record of this number counts now.
    pub(crate) fn count(&mut self, number: u64) -> bool {
        let is_new = self.counted.is_none_or(|counted| number > counted);
        if is_new {
            self.counted = Some(number);
        }
        is_new
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

#[cfg(test)]
mod tests;
