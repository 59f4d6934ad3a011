//! Messages and topics for source tasks: see [`connect_core::outside`].

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use connect_core::{
    BoxFuture, Encoded, Error, Result,
    keep::Keep,
    outside::{Letter, Letters, Outside, Since, Topics},
};
use connect_log::{At, Event, Log, Read, ReaderSpec, TopicPartition, TopicSpec};
use parking_lot::Mutex;

use crate::{
    answers::TaskId,
    error::{BAD_REQUEST, NOT_ATTENDED},
};

/// The ways into the tasks that run.
#[derive(Debug, Default)]
pub(crate) struct Ways(Mutex<BTreeMap<TaskId, Outside>>);

impl Ways {
    /// A way into a new run of a task; the old one leads nowhere.
    pub(crate) fn open(&self, id: &TaskId, log: &Arc<dyn Log>, keep: Keep) -> Outside {
        let outside = Outside::new(Arc::new(LogTopics(Arc::clone(log)))).keeping(keep);
        self.0.lock().insert(id.clone(), outside.clone());
        outside
    }

    /// The run has ended.
    pub(crate) fn close(&self, id: &TaskId) {
        self.0.lock().remove(id);
    }

    /// Gives a message to the first task of a connector.
    pub(crate) fn send(&self, connector: &str, message: String) -> Result<()> {
        let outside = self.0.lock().get(&TaskId::new(connector, 0)).cloned();
        let inbox = outside.as_ref().map(Outside::inbox);
        let Some(inbox) = inbox.filter(|inbox| inbox.is_attended()) else {
            let what = format!(
                "Connector {connector} takes no signals: it is not a source with signals, or its task does not run"
            );
            return Err(Error::new(&NOT_ATTENDED, what));
        };
        match inbox.put(message) {
            true => Ok(()),
            false => {
                let what = format!("Connector {connector} has too many signals waiting");
                Err(Error::new(&NOT_ATTENDED, what))
            }
        }
    }
}

/// A signal as a request has it, as the text that a task understands. The id is made up when it is left out.
pub(crate) fn signal(mut body: serde_json::Value) -> Result<(String, String)> {
    let wrong = |what: &str| Err(Error::new(&BAD_REQUEST, what.to_owned()));
    let Some(object) = body.as_object_mut() else {
        return wrong("A signal is an object with the fields \"type\" and \"data\"");
    };
    if !object.get("type").is_some_and(serde_json::Value::is_string) {
        return wrong("The field \"type\" is missing: it names the signal, as in execute-snapshot");
    }
    let id = match object.get("id") {
        None => random_id(),
        Some(serde_json::Value::String(id)) => id.clone(),
        Some(_) => return wrong("The field \"id\" must be text"),
    };
    object.insert("id".to_owned(), id.as_str().into());
    Ok((id, body.to_string()))
}

/// 32 random hex digits.
fn random_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

struct LogTopics(Arc<dyn Log>);

impl Topics for LogTopics {
    fn read<'a>(
        &'a self,
        topic: &'a str,
        since: Since<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Letters>>> {
        Box::pin(async move {
            let log = &self.0;
            if log.topic(topic).await?.is_none() {
                log.create_topics(&[TopicSpec::new(topic, 1)]).await?;
            }
            let of = TopicPartition::new(topic, 0);
            let committed = log.group_offsets(since.group).await?;
            let start = match since.behind.map(|offset| offset + 1) {
                Some(next) => next,
                None => match committed.get(&of) {
                    Some(next) => *next,
                    None => log.offset_at(&of, At::Earliest).await?,
                },
            };
            let spec = ReaderSpec {
                client_id: format!("signals-{topic}"),
                ..ReaderSpec::default()
            };
            let mut reader = log.reader(spec).await?;
            reader
                .assign(&BTreeMap::from([(of.clone(), start)]))
                .await?;
            let letters = TopicLetters {
                log: Arc::clone(log),
                reader,
                of,
                group: since.group.to_owned(),
                batch: Encoded::default(),
            };
            Ok(Box::new(letters) as Box<dyn Letters>)
        })
    }
}

struct TopicLetters {
    log: Arc<dyn Log>,
    reader: Box<dyn Read>,
    of: TopicPartition,
    group: String,
    batch: Encoded,
}

impl Letters for TopicLetters {
    fn next(&mut self, wait: Duration) -> BoxFuture<'_, Result<Vec<Letter>>> {
        Box::pin(async move {
            self.batch.clear();
            if self.reader.poll(&mut self.batch, wait).await? != Event::Records {
                return Ok(Vec::new());
            }
            let batch = &self.batch;
            let letters = batch.records.iter().map(|record| Letter {
                key: batch.key(record).map(<[u8]>::to_vec),
                value: batch.value(record).map(<[u8]>::to_vec),
                offset: record.offset,
            });
            Ok(letters.collect())
        })
    }

    fn done(&mut self, offset: i64) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let offsets = BTreeMap::from([(self.of.clone(), Some(offset + 1))]);
            self.log.alter_group_offsets(&self.group, &offsets).await
        })
    }
}

#[cfg(test)]
mod tests {
    use connect_core::error::CONFIG_INVALID;
    use connect_log::{AppenderSpec, memory::MemoryLog};

    use super::*;

    async fn append(log: &Arc<dyn Log>, values: &[&str]) {
        let spec = AppenderSpec {
            client_id: "people".into(),
            ..AppenderSpec::default()
        };
        let mut appender = log.appender(spec).await.unwrap();
        let mut records = Encoded::default();
        for value in values {
            records.push(&"orders".into(), Some(b"k"), Some(value.as_bytes()), -1);
        }
        let ticket = appender.append(&records).await.unwrap().ticket;
        appender.durable().reach(ticket).await.unwrap();
    }

    async fn values(log: &Arc<dyn Log>, behind: Option<i64>) -> (Vec<String>, Vec<i64>) {
        let topics = LogTopics(Arc::clone(log));
        let since = Since { behind, group: "g" };
        let mut letters = topics.read("orders", since).await.unwrap();
        let got = letters.next(Duration::from_millis(500)).await.unwrap();
        if let Some(last) = got.last() {
            letters.done(last.offset).await.unwrap();
        }
        let text = |letter: &Letter| String::from_utf8(letter.value.clone().unwrap()).unwrap();
        let offsets = got.iter().map(|letter| letter.offset).collect();
        (got.iter().map(text).collect(), offsets)
    }

    #[tokio::test]
    async fn a_topic_of_any_log_is_read_on_from_where_it_was_left() {
        let log: Arc<dyn Log> = MemoryLog::new();
        assert!(values(&log, None).await.0.is_empty(), "it is created");
        append(&log, &["a", "b"]).await;
        let (first, offsets) = values(&log, None).await;
        assert_eq!(first, ["a", "b"]);
        append(&log, &["c"]).await;
        assert_eq!(values(&log, None).await.0, ["c"], "where the group stands");
        assert_eq!(values(&log, Some(offsets[0])).await.0, ["b", "c"]);
        let nowhere = Outside::default();
        let since = Since {
            behind: None,
            group: "g",
        };
        let refused = nowhere.read("orders", since).await.err().unwrap();
        assert_eq!(refused.code().name, CONFIG_INVALID.name);
    }
}
