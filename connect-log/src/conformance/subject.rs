//! A log under test, and the few verbs that the checks are made of.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use connect_core::{BoxFuture, Encoded, Result};

use crate::{
    Append, AppenderSpec, At, Event, Log, Pace, Read, ReaderSpec, TopicPartition, TopicSpec,
};

/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
/// How long nothing must come, where nothing is expected.
pub(super) const SILENCE: Duration = Duration::from_millis(300);

/// A log to check.
pub struct Subject {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Makes retention and compaction happen now. Without it these checks pass unseen: a broker does them in its own time.
    pub upkeep: Option<Upkeep>,
    /// Of its transactional appenders.
    pub pace: Pace,
}

/// Makes retention and compaction happen now.
pub type Upkeep = Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its time.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Got {
    /// The value as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.value.clone().unwrap_or_default()).unwrap()
    }
}

impl Subject {
    /// A log to check, without upkeep on demand.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self {
            log,
            upkeep: None,
            pace: Pace::Steady,
        }
    }

    /// A name that nobody else has.
    pub(super) fn name(&self, what: &str) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{}-{next}", since.as_nanos())
    }

    pub(super) async fn topic(&self, partitions: i32) -> Arc<str> {
        self.topic_with(partitions, &[]).await
    }

    pub(super) async fn topic_with(&self, partitions: i32, settings: &[(&str, &str)]) -> Arc<str> {
        let name = self.name("topic");
        let mut spec = TopicSpec::new(name.as_str(), partitions);
        for (name, value) in settings {
            spec = spec.setting(name, value);
        }
        self.log.create_topics(&[spec]).await.unwrap();
        Arc::from(name)
    }

    pub(super) async fn appender(&self) -> Box<dyn Append> {
        let spec = AppenderSpec {
            client_id: self.name("appender"),
            ..AppenderSpec::default()
        };
        self.log.appender(spec).await.unwrap()
    }

    pub(super) async fn transactional(&self, id: &str) -> Box<dyn Append> {
        let spec = AppenderSpec {
            transactional_id: Some(id.to_owned()),
            pace: self.pace,
            ..AppenderSpec::default()
        };
        self.log.appender(spec).await.unwrap()
    }

    /// Appends texts to partition 0, and waits until they are durable.
    pub(super) async fn put(&self, topic: &Arc<str>, texts: &[&str]) {
        self.put_to(topic, 0, texts).await;
    }

    pub(super) async fn put_to(&self, topic: &Arc<str>, partition: i32, texts: &[&str]) {
        let mut appender = self.appender().await;
        durable(&mut *appender, &values(topic, partition, texts)).await;
    }

    pub(super) fn spec(&self, group: Option<&str>, settings: &[(&str, &str)]) -> ReaderSpec {
        let mut all = BTreeMap::from([
            ("auto.offset.reset".to_owned(), "earliest".to_owned()),
            ("session.timeout.ms".to_owned(), "6000".to_owned()),
            (
                "topic.metadata.refresh.interval.ms".to_owned(),
                "1000".to_owned(),
            ),
        ]);
        for (name, value) in settings {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        ReaderSpec {
            client_id: self.name("reader"),
            group: group.map(str::to_owned),
            settings: all,
        }
    }

    /// A reader of some partitions from their beginning.
    pub(super) async fn reader(&self, topic: &Arc<str>, partitions: i32) -> Box<dyn Read> {
        self.reader_with(topic, partitions, &[]).await
    }

    pub(super) async fn reader_with(
        &self,
        topic: &Arc<str>,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Box<dyn Read> {
        let mut reader = self.log.reader(self.spec(None, settings)).await.unwrap();
        let mut from = BTreeMap::new();
        for partition in 0..partitions {
            let at = TopicPartition::new(Arc::clone(topic), partition);
            let earliest = self.log.offset_at(&at, At::Earliest).await.unwrap();
            from.insert(at, earliest);
        }
        reader.assign(&from).await.unwrap();
        reader
    }

    /// A new member of a group.
    pub(super) async fn member(&self, group: &str, topics: &[&Arc<str>]) -> Box<dyn Read> {
        let spec = self.spec(Some(group), &[]);
        let mut reader = self.log.reader(spec).await.unwrap();
        let topics: Vec<_> = topics.iter().map(|topic| topic.to_string()).collect();
        reader.subscribe(&topics).await.unwrap();
        reader
    }

    /// Everything that is in a topic now, when it is so many records.
    pub(super) async fn all(&self, topic: &Arc<str>, partitions: i32, count: usize) -> Vec<Got> {
        let mut reader = self.reader(topic, partitions).await;
        let got = take(&mut *reader, count).await;
        silent(&mut *reader).await;
        got
    }
}

/// A partition.
pub(super) fn at(topic: &Arc<str>, partition: i32) -> TopicPartition {
    TopicPartition::new(Arc::clone(topic), partition)
}

/// Records with these values, without keys.
pub(super) fn values(topic: &Arc<str>, partition: i32, texts: &[&str]) -> Encoded {
    let mut out = Encoded::default();
    for text in texts {
        let record = out.push(topic, None, Some(text.as_bytes()), -1);
        record.partition = Some(partition);
    }
    out
}

/// Records with these keys and values, `None` for a tombstone.
pub(super) fn keyed(topic: &Arc<str>, pairs: &[(&str, Option<&str>)]) -> Encoded {
    let mut out = Encoded::default();
    for (key, value) in pairs {
        let value = value.map(str::as_bytes);
        out.push(topic, Some(key.as_bytes()), value, -1);
    }
    out
}

/// Appends and waits until all is durable.
pub(super) async fn durable(appender: &mut dyn Append, records: &Encoded) {
    let appended = appender.append(records).await.unwrap();
    assert!(appended.refused.is_empty(), "{:?}", appended.refused);
    appender.durable().reach(appended.ticket).await.unwrap();
}

/// The next so many records, whatever the group says meanwhile.
pub(super) async fn take(reader: &mut dyn Read, count: usize) -> Vec<Got> {
    let (mut got, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while got.len() < count {
        assert!(
            Instant::now() < deadline,
            "{} of {count} records",
            got.len()
        );
        poll(reader, &mut got).await;
    }
    assert_eq!(got.len(), count, "more records than expected");
    got
}

/// One poll that waits a moment.
pub(super) async fn poll(reader: &mut dyn Read, got: &mut Vec<Got>) -> Event {
    let mut out = Encoded::default();
    let event = reader.poll(&mut out, SILENCE).await.unwrap();
    got.extend(out.records.iter().map(|record| {
        Got {
            partition: record.partition.unwrap(),
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: out.key(record).map(<[u8]>::to_vec),
            value: out.value(record).map(<[u8]>::to_vec),
            headers: out
                .headers(record)
                .iter()
                .map(|h| {
                    let value = h.value.as_ref().map(|range| out.slice(range).to_vec());
                    (h.name.to_string(), value)
                })
                .collect(),
        }
    }));
    event
}

/// Nothing comes.
pub(super) async fn silent(reader: &mut dyn Read) {
    let mut got = Vec::new();
    for _ in 0..2 {
        poll(reader, &mut got).await;
    }
    assert_eq!(got, [], "nothing more was expected");
}

/// Polls until the group gives the event that is looked for; gives back what was read meanwhile.
pub(super) async fn event(
    reader: &mut dyn Read,
    wanted: impl Fn(&Event) -> bool,
) -> (Event, Vec<Got>) {
    let (mut got, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    loop {
        let event = poll(reader, &mut got).await;
        if wanted(&event) {
            return (event, got);
        }
        assert!(Instant::now() < deadline, "the event did not come");
    }
}

/// The values as texts.
pub(super) fn texts(got: &[Got]) -> Vec<String> {
    got.iter().map(Got::text).collect()
}
