//! What connectors keep in the log: see [`connect_core::keep`]. Each has a topic of one partition for it.

mod topic_name;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use connect_core::{
    BoxFuture, Encoded, Position, Result,
    keep::{Keep, Page, Reader, Store, Turns, Writer},
    outside::Letter,
};
use connect_log::{
    Append, AppenderSpec, At, Event, Log, Read, ReaderSpec, TopicPartition, TopicSpec,
};
use parking_lot::Mutex;

pub(crate) use self::topic_name::topic_name;
use crate::{offsets::Offsets, shared::Shared};

/// Whose turn it is at each connector's server.
#[derive(Debug, Default)]
pub(crate) struct Keeps(Mutex<BTreeMap<String, Turns>>);

impl Shared {
    /// What a connector keeps.
    pub(crate) fn keep(&self, connector: &str) -> Keep {
        let turns = self
            .keeps
            .0
            .lock()
            .entry(connector.to_owned())
            .or_default()
            .clone();
        Keep::new(turns, Arc::new(self.kept(connector)))
    }

    fn kept(&self, connector: &str) -> Kept {
        let topic = topic_name(&self.config.group_id, connector, "kept");
        Kept {
            log: Arc::clone(&self.log),
            offsets: Arc::clone(&self.offsets),
            connector: connector.to_owned(),
            replication: Some(self.config.offset_replication).filter(|r| *r > 0),
            settings: self.config.under("producer."),
            of: TopicPartition::new(topic, 0),
        }
    }

    /// A connector's offsets are forgotten, and with them what it has kept.
    pub(crate) async fn drop_kept(&self, connector: &str) -> Result<()> {
        let keep = self.keep(connector);
        let _turn = keep.turns().take().await;
        self.kept(connector).remove().await
    }

    /// A connector is deleted. Its offsets stay, and so does what belongs to them.
    pub(crate) async fn leave_kept(&self, connector: &str) {
        self.keeps.0.lock().remove(connector);
        let kept = self.kept(connector);
        let topic = &kept.of.topic;
        match kept.leave().await {
            Ok(true) => tracing::warn!(
                connector,
                %topic,
                "the deleted connector has not read all that was kept for it: the topic stays, as its offsets do. \
                 Make the connector again to read it, or delete the topic if it is not wanted"
            ),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(connector, %topic, %error, "what the deleted connector kept cannot be looked at")
            }
        }
    }
}

/// What one connector keeps.
struct Kept {
    log: Arc<dyn Log>,
    offsets: Arc<Offsets>,
    connector: String,
    replication: Option<i16>,
    settings: BTreeMap<String, String>,
    of: TopicPartition,
}

impl Kept {
    async fn exists(&self) -> Result<bool> {
        Ok(self.log.topic(&self.of.topic).await?.is_some())
    }

    async fn remove(&self) -> Result<()> {
        match self.exists().await? {
            true => self.log.delete_topic(&self.of.topic).await,
            false => Ok(()),
        }
    }

    /// Removes a topic without records; whether there are any.
    async fn leave(&self) -> Result<bool> {
        let has_records = !self.is_empty().await?;
        if !has_records {
            self.remove().await?;
        }
        Ok(has_records)
    }

    async fn create(&self) -> Result<()> {
        if self.exists().await? {
            return Ok(());
        }
        let mut spec = TopicSpec::new(Arc::clone(&self.of.topic), 1)
            .setting("cleanup.policy", "delete")
            .setting("retention.ms", "-1")
            .setting("retention.bytes", "-1");
        spec.replication = self.replication;
        self.log.create_topics(&[spec]).await
    }

    /// Ends older writers: what they have not committed never becomes visible.
    async fn append(&self) -> Result<AppendKept> {
        let spec = AppenderSpec {
            client_id: format!("kept-{}", self.connector),
            transactional_id: Some(self.of.topic.to_string()),
            cleans: vec![Arc::clone(&self.of.topic)],
            settings: self.settings.clone(),
            ..AppenderSpec::default()
        };
        Ok(AppendKept {
            appender: self.log.appender(spec).await?,
            topic: Arc::clone(&self.of.topic),
            record: Encoded::default(),
        })
    }

    async fn read(&self) -> Result<ReadKept> {
        // Behind this nothing comes any more that belongs to a writer of before.
        let last = random().to_be_bytes();
        let mut end = self.append().await?;
        end.put(None, &last).await?;
        end.commit().await?;
        let spec = ReaderSpec {
            client_id: format!("kept-{}", self.connector),
            ..ReaderSpec::default()
        };
        let mut reader = self.log.reader(spec).await?;
        let first = self.log.offset_at(&self.of, At::Earliest).await?;
        reader
            .assign(&BTreeMap::from([(self.of.clone(), first)]))
            .await?;
        Ok(ReadKept {
            log: Arc::clone(&self.log),
            of: self.of.clone(),
            reader,
            last,
            batch: Encoded::default(),
        })
    }
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl Store for Kept {
    fn name(&self) -> &str {
        &self.of.topic
    }

    fn positions(&self) -> Vec<Position> {
        self.offsets.latest(&self.connector)
    }

    fn is_empty(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async {
            if !self.exists().await? {
                return Ok(true);
            }
            let first = self.log.offset_at(&self.of, At::Earliest).await?;
            Ok(first >= self.log.offset_at(&self.of, At::Latest).await?)
        })
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn Writer>>> {
        Box::pin(async {
            self.create().await?;
            Ok(Box::new(self.append().await?) as Box<dyn Writer>)
        })
    }

    fn reader(&self) -> BoxFuture<'_, Result<Option<Box<dyn Reader>>>> {
        Box::pin(async {
            if self.is_empty().await? {
                return Ok(None);
            }
            Ok(Some(Box::new(self.read().await?) as Box<dyn Reader>))
        })
    }

    fn forget(&self, before: Option<i64>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let before = match before {
                Some(before) => before,
                None => self.log.offset_at(&self.of, At::Latest).await?,
            };
            self.log.delete_records(&self.of, before).await
        })
    }
}

struct AppendKept {
    appender: Box<dyn Append>,
    topic: Arc<str>,
    record: Encoded,
}

impl AppendKept {
    async fn put(&mut self, key: Option<&[u8]>, value: &[u8]) -> Result<()> {
        self.record.clear();
        let record = self.record.push(&self.topic, key, Some(value), -1);
        record.partition = Some(0);
        let appended = self.appender.append(&self.record).await?;
        let refused = appended.refused.into_iter().next();
        refused.map_or(Ok(()), |(_, error)| Err(error))
    }
}

impl Writer for AppendKept {
    fn append<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.put(Some(key), value))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.appender.commit(None)
    }
}

struct ReadKept {
    log: Arc<dyn Log>,
    of: TopicPartition,
    reader: Box<dyn Read>,
    /// The value of the record that ends it. Records of connectors have keys, and this one has none.
    last: [u8; 8],
    batch: Encoded,
}

impl Reader for ReadKept {
    fn next(&mut self, wait: Duration) -> BoxFuture<'_, Result<Page>> {
        Box::pin(async move {
            self.batch.clear();
            let mut page = Page {
                letters: Vec::new(),
                end: None,
            };
            if self.reader.poll(&mut self.batch, wait).await? != Event::Records {
                return Ok(page);
            }
            for record in &self.batch.records {
                let (key, value) = (self.batch.key(record), self.batch.value(record));
                match key {
                    Some(key) => page.letters.push(Letter {
                        key: Some(key.to_vec()),
                        value: value.map(<[u8]>::to_vec),
                        offset: record.offset,
                    }),
                    // What ends its transaction stands behind it.
                    None if value == Some(&self.last) => {
                        page.end = Some(self.log.offset_at(&self.of, At::Latest).await?);
                    }
                    // The end of a reader that did not come to it.
                    None => {}
                }
            }
            Ok(page)
        })
    }
}

#[cfg(test)]
mod tests;
