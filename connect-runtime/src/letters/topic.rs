//! The topic of a connector's letters.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Encoded, Error, Properties, Result, encoded::EncodedRecord};
use connect_log::{
    Append, AppenderSpec, At as Point, Pace, ReaderSpec, TopicPartition, read_to_end,
};

use super::{
    At, Letter, Marks, Opened, content,
    letter::{header, headers_shown},
    marks::MARK,
};
use crate::{
    answers::ConnectorKind,
    dead_letters::{replication, topic_of},
    error::NOT_FOUND,
    shared::Shared,
    worker_config::under,
};

/// How long one poll waits.
const POLL: Duration = Duration::from_millis(10);

/// The letters of one connector.
pub(super) struct Letters {
    shared: Arc<Shared>,
    name: String,
    topic: Arc<str>,
    config: Properties,
    /// Source or sink.
    pub(super) kind: ConnectorKind,
}

impl Letters {
    /// 404 when there is no such connector, or it keeps none.
    pub(super) async fn of(shared: &Arc<Shared>, name: &str) -> Result<Self> {
        let info = shared.info(name)?;
        let config = shared.providers.resolve(&info.config)?;
        let nowhere = |what: String| Err(Error::new(&NOT_FOUND, what));
        let Some(topic) = topic_of(&config).map(Arc::<str>::from) else {
            return nowhere(format!(
                "Connector {name} keeps no dead letters: set errors.deadletterqueue.topic.name and errors.tolerance=all"
            ));
        };
        if shared.log.topic(&topic).await?.is_none() {
            return nowhere(format!(
                "The topic {topic} of the dead letters of connector {name} does not exist: its tasks make it when they start"
            ));
        }
        Ok(Self {
            shared: Arc::clone(shared),
            name: name.to_owned(),
            topic,
            kind: info.kind,
            config,
        })
    }

    pub(super) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// How many copies the topics of letters have; `None` for as many as the log makes.
    pub(super) fn replication(&self) -> Option<i16> {
        replication(&self.config)
    }

    /// What was done with letters.
    pub(super) async fn marks(&self) -> Result<Marks> {
        let mut marks = Marks::default();
        self.records(|records, record| marks.take(records, record))
            .await?;
        Ok(marks)
    }

    /// Gives every letter of the connector, also those that are marked, with the record that it is.
    pub(super) async fn each(
        &self,
        mut each: impl FnMut(Letter, &Encoded, &EncodedRecord),
    ) -> Result<()> {
        self.records(|records, record| {
            if let Some(letter) = self.letter(records, record) {
                each(letter, records, record);
            }
        })
        .await
    }

    /// Gives every record with its place: `None` for a mark, else the letter, and whether it is of this connector.
    pub(super) async fn all(&self, mut each: impl FnMut(Option<(Letter, bool)>, At)) -> Result<()> {
        self.records(|records, record| {
            let at = (record.partition.unwrap_or(0), record.offset);
            let is_mark = header(records, record, MARK).is_some();
            let letter = (!is_mark).then(|| Letter::of(records, record));
            let letter = letter.map(|letter| {
                let is_ours = self.owns(&letter);
                (letter, is_ours)
            });
            each(letter, at);
        })
        .await
    }

    /// The letter at a place.
    pub(super) async fn at(&self, at: At) -> Result<Option<Opened>> {
        let (of, log) = (
            TopicPartition::new(Arc::clone(&self.topic), at.0),
            &self.shared.log,
        );
        let count = log.topic(&self.topic).await?.map_or(0, |i| i.partitions);
        if !(0..count).contains(&at.0)
            || at.1 < log.offset_at(&of, Point::Earliest).await?
            || at.1 >= log.offset_at(&of, Point::Latest).await?
        {
            return Ok(None);
        }
        let mut reader = log.reader(self.reader()).await?;
        reader.assign(&BTreeMap::from([(of.clone(), at.1)])).await?;
        let mut records = Encoded::default();
        while records.is_empty() && reader.lag().get(&of) != Some(&0) {
            reader.poll(&mut records, POLL).await?;
        }
        reader.close().await?;
        let found = records.records.iter().find(|record| record.offset == at.1);
        Ok(found.and_then(|record| {
            Some(Opened {
                letter: self.letter(&records, record)?,
                key: content::show(records.key(record)),
                value: content::show(records.value(record)),
                headers: headers_shown(&records, record),
            })
        }))
    }

    /// A writer of marks. It ends all that were there before; what these have not committed never becomes visible.
    pub(super) async fn writer(&self) -> Result<Box<dyn Append>> {
        let worker = &self.shared.config;
        let mut settings = worker.under("producer.");
        settings.extend(under(&self.config, "producer.override."));
        let spec = AppenderSpec {
            client_id: format!("dead-letters-{}", self.name),
            transactional_id: Some(format!("{}-{}-letters", worker.group_id, self.topic)),
            cleans: vec![Arc::clone(&self.topic)],
            lease: self.shared.place.lease(),
            pace: Pace::Rare,
            settings,
        };
        self.shared.log.appender(spec).await
    }

    /// A record as a letter; `None` for marks and for what belongs to other connectors.
    fn letter(&self, records: &Encoded, record: &EncodedRecord) -> Option<Letter> {
        if header(records, record, MARK).is_some() {
            return None;
        }
        let letter = Letter::of(records, record);
        self.owns(&letter).then_some(letter)
    }

    /// A letter that does not tell whose it is belongs to everybody.
    fn owns(&self, letter: &Letter) -> bool {
        letter.connector.as_ref().is_none_or(|c| *c == self.name)
    }

    fn reader(&self) -> ReaderSpec {
        ReaderSpec {
            client_id: format!("dead-letters-{}", self.name),
            group: None,
            settings: self.shared.config.under("consumer."),
        }
    }

    async fn records(&self, mut each: impl FnMut(&Encoded, &EncodedRecord)) -> Result<()> {
        let log = &*self.shared.log;
        let mut from = BTreeMap::new();
        read_to_end(log, &self.topic, &mut from, self.reader(), |records| {
            records.records.iter().for_each(|r| each(records, r));
        })
        .await
    }
}
