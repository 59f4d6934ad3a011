//! One reader: calls to a thread that owns the consumer.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    time::Duration,
};

use connect_core::{BoxFuture, Encoded, Error, Result, error::INTERNAL};
use parking_lot::Mutex;
use rdkafka::{ClientConfig, config::FromClientConfigAndContext, consumer::BaseConsumer};
use tokio::sync::oneshot;

use super::{client::Health, error::failed, fetch::Fetch, rebalance::Membership};
use crate::{Event, Read, TopicPartition};

/// How far behind the end each partition is.
pub(super) type Lag = Arc<Mutex<BTreeMap<TopicPartition, i64>>>;

/// What the thread is asked to do, with where to answer.
pub(super) enum Call {
    Subscribe(Vec<String>, Answer<()>),
    Assign(BTreeMap<TopicPartition, i64>, Answer<()>),
    Seek(TopicPartition, i64, Answer<()>),
    Pause(Vec<TopicPartition>, bool, Answer<()>),
    Poll(Encoded, Duration, oneshot::Sender<Polled>),
    Commit(BTreeMap<TopicPartition, i64>, Answer<()>),
    Close(Answer<()>),
}

type Answer<T> = oneshot::Sender<Result<T>>;

/// What a poll gave: the records in the arena that came with the call.
pub(super) struct Polled {
    pub(super) records: Encoded,
    pub(super) event: Result<Event>,
}

/// A consumer on its own thread.
pub(super) struct KafkaReader {
    calls: mpsc::SyncSender<Call>,
    /// A poll whose answer has not been taken yet; it survives a poll that was dropped.
    polling: Option<oneshot::Receiver<Polled>>,
    /// An arena for the next poll.
    spare: Encoded,
    lag: Lag,
}

impl KafkaReader {
    /// `max.poll.records` unless the user says otherwise.
    const RECORDS: u64 = 500;

    /// Starts the thread. Without a group the reader can only be assigned partitions.
    pub(super) fn start(
        mut config: ClientConfig,
        group: Option<String>,
        most: Option<u64>,
        health: Health,
    ) -> Result<Self> {
        let in_group = group.is_some();
        // librdkafka wants a name even of readers that never join.
        config.set(
            "group.id",
            group.unwrap_or_else(|| "tidewater-reader".to_owned()),
        );
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        // Who reads alone is told exactly when a partition is read to its end.
        config.set("enable.partition.eof", (!in_group).to_string());
        let consumer = BaseConsumer::from_config_and_context(&config, Membership::new(health));
        let consumer = consumer.map_err(|err| failed("make a consumer", err))?;
        let most = usize::try_from(most.unwrap_or(Self::RECORDS)).unwrap_or(usize::MAX);
        let lag = Lag::default();
        let (calls, inbox) = mpsc::sync_channel(4);
        let mut fetch = Fetch::new(consumer, most.max(1), in_group, Arc::clone(&lag));
        let thread = std::thread::Builder::new().name("kafka-reader".to_owned());
        let started = thread.spawn(move || fetch.serve(&inbox));
        started.map_err(|err| Error::new(&INTERNAL, "could not start a thread").caused_by(err))?;
        Ok(Self {
            calls,
            polling: None,
            spare: Encoded::default(),
            lag,
        })
    }

    async fn call(&self, make: impl FnOnce(Answer<()>) -> Call) -> Result<()> {
        let (answer, done) = oneshot::channel();
        self.send(make(answer))?;
        done.await.map_err(|_| gone())?
    }

    /// At most two calls are ever on their way: a poll that was dropped, and one more.
    fn send(&self, call: Call) -> Result<()> {
        self.calls.try_send(call).map_err(|_| gone())
    }

    async fn poll_into(&mut self, out: &mut Encoded, wait: Duration) -> Result<Event> {
        let polling = match &mut self.polling {
            Some(polling) => polling,
            none => {
                let (answer, done) = oneshot::channel();
                let spare = std::mem::take(&mut self.spare);
                let sent = self.calls.try_send(Call::Poll(spare, wait, answer));
                sent.map_err(|_| gone())?;
                none.insert(done)
            }
        };
        let polled = polling.await.map_err(|_| gone());
        self.polling = None;
        let Polled { mut records, event } = polled?;
        if out.is_empty() {
            std::mem::swap(out, &mut records);
        } else {
            append(out, &mut records);
        }
        records.clear();
        self.spare = records;
        event
    }
}

impl Read for KafkaReader {
    fn subscribe<'a>(&'a mut self, topics: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call(|answer| Call::Subscribe(topics.to_vec(), answer)))
    }

    fn assign<'a>(
        &'a mut self,
        from: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call(|answer| Call::Assign(from.clone(), answer)))
    }

    fn seek<'a>(&'a mut self, of: &'a TopicPartition, offset: i64) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call(move |answer| Call::Seek(of.clone(), offset, answer)))
    }

    fn pause<'a>(
        &'a mut self,
        of: &'a [TopicPartition],
        paused: bool,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call(move |answer| Call::Pause(of.to_vec(), paused, answer)))
    }

    fn poll<'a>(
        &'a mut self,
        out: &'a mut Encoded,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Event>> {
        Box::pin(self.poll_into(out, wait))
    }

    fn commit<'a>(
        &'a mut self,
        offsets: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call(|answer| Call::Commit(offsets.clone(), answer)))
    }

    fn lag(&self) -> BTreeMap<TopicPartition, i64> {
        self.lag.lock().clone()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.call(Call::Close))
    }
}

fn gone() -> Error {
    Error::new(&INTERNAL, "the reader is closed")
}

/// Appends records to others, with all their ranges moved.
fn append(out: &mut Encoded, more: &mut Encoded) {
    let (bytes, headers) = (out.bytes.len(), out.headers.len());
    let moved = |range: &mut std::ops::Range<usize>, by| *range = range.start + by..range.end + by;
    out.bytes.extend_from_slice(&more.bytes);
    for mut header in more.headers.drain(..) {
        if let Some(range) = &mut header.value {
            moved(range, bytes);
        }
        out.headers.push(header);
    }
    for mut record in more.records.drain(..) {
        for range in [&mut record.key, &mut record.value].into_iter().flatten() {
            moved(range, bytes);
        }
        moved(&mut record.headers, headers);
        out.records.push(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_records_keep_their_parts() {
        let (mut out, mut more) = (Encoded::default(), Encoded::default());
        let topic: Arc<str> = "t".into();
        out.push(&topic, Some(b"k1"), Some(b"v1"), 1);
        out.push_header("h1", Some(b"x1"));
        more.push(&topic, None, Some(b"v2"), 2);
        more.push_header("h2", None);
        more.push_header("h3", Some(b"x3"));
        append(&mut out, &mut more);
        assert_eq!(out.len(), 2);
        let last = &out.records[1];
        assert_eq!((out.key(last), out.value(last)), (None, Some(&b"v2"[..])));
        let headers = out.headers(last);
        assert_eq!(&*headers[0].name, "h2");
        assert_eq!(
            headers[1].value.as_ref().map(|r| out.slice(r)),
            Some(&b"x3"[..])
        );
    }
}
