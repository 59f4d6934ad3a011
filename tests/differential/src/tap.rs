//! All records of the topics of the running trials, read as they come.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use connect_core::Encoded;
use connect_log::{At, Event, Log, Read, ReaderSpec, TopicPartition, kafka::KafkaLog};
use e2e::Outcome;
use parking_lot::{Condvar, Mutex};

use crate::record::Record;

const LOOK_FOR_TOPICS: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_millis(50);

/// The records of one run, by topic.
pub(crate) type Topics = BTreeMap<String, Vec<Record>>;

/// One reader of a whole Kafka, on a thread of its own.
pub(crate) struct Tap {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// By run; a topic belongs to the run whose name is part of its own.
    runs: Mutex<BTreeMap<String, Topics>>,
    changed: Condvar,
    failure: Mutex<Option<String>>,
    /// Runs whose topics are to be read to their ends, and with `true` those where that is done.
    wanted_whole: Mutex<BTreeMap<String, bool>>,
}

impl Tap {
    /// Reads from this Kafka.
    pub(crate) fn of(bootstrap: &str) -> Outcome<Self> {
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let settings = [("bootstrap.servers".to_owned(), bootstrap.to_owned())];
        let reading = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            if let Err(error) = runtime.block_on(read(&reading, &settings.into())) {
                *reading.failure.lock() = Some(error.to_string());
            }
        });
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Begins to read the topics of a run.
    pub(crate) fn watch(&self, run: &str) {
        let mut runs = self.shared.runs.lock();
        runs.insert(run.to_owned(), Topics::new());
    }

    /// Waits until the records of a run satisfy a condition; false when they did not within `limit`.
    pub(crate) fn wait(
        &self,
        run: &str,
        limit: Duration,
        mut holds: impl FnMut(&Topics) -> bool,
    ) -> Outcome<bool> {
        let end = Instant::now() + limit;
        let mut runs = self.shared.runs.lock();
        loop {
            if let Some(failure) = &*self.shared.failure.lock() {
                return Err(failure.clone().into());
            }
            if runs.get(run).is_some_and(&mut holds) {
                return Ok(true);
            }
            if self.shared.changed.wait_until(&mut runs, end).timed_out() {
                return Ok(false);
            }
        }
    }

    /// Waits until everything is read that is in the topics of a run by now, new topics too.
    pub(crate) fn catch_up(&self, run: &str, limit: Duration) -> Outcome {
        let wanted = &self.shared.wanted_whole;
        wanted.lock().insert(run.to_owned(), false);
        self.wait(run, limit, |_| wanted.lock().get(run) == Some(&true))?;
        wanted.lock().remove(run);
        Ok(())
    }

    /// What has been read so far.
    pub(crate) fn now(&self, run: &str) -> Topics {
        self.shared
            .runs
            .lock()
            .get(run)
            .cloned()
            .unwrap_or_default()
    }

    /// Ends reading the topics of a run, and gives what was read.
    pub(crate) fn take(&self, run: &str) -> Topics {
        self.shared.runs.lock().remove(run).unwrap_or_default()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn read(shared: &Shared, settings: &BTreeMap<String, String>) -> Outcome {
    let log = KafkaLog::connect(settings)?;
    let spec = ReaderSpec {
        client_id: "tap".to_owned(),
        ..ReaderSpec::default()
    };
    let mut reader = log.reader(spec).await?;
    let mut next: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    let mut looked: Option<Instant> = None;
    let mut batch = Encoded::default();
    let mut ends: BTreeMap<String, BTreeMap<TopicPartition, i64>> = BTreeMap::new();
    while !shared.stop.load(Ordering::Relaxed) {
        if looked.is_none_or(|at| at.elapsed() > LOOK_FOR_TOPICS) {
            assign(shared, &*log, &mut *reader, &mut next).await?;
            look_for_ends(shared, &*log, &next, &mut ends).await?;
            looked = Some(Instant::now());
        }
        batch.clear();
        let event = reader.poll(&mut batch, PATIENCE).await?;
        if event == Event::Records {
            keep(shared, &batch, &mut next);
        }
        tell_whole(shared, &next, &mut ends);
    }
    reader.close().await?;
    Ok(())
}

/// Reads the topics of the runs that are watched now.
async fn assign(
    shared: &Shared,
    log: &dyn Log,
    reader: &mut dyn Read,
    next: &mut BTreeMap<TopicPartition, i64>,
) -> Outcome {
    let topics = log.topics().await?;
    let wanted: BTreeSet<String> = {
        let runs = shared.runs.lock();
        let ours = |topic: &String| runs.keys().any(|run| is_of(topic, run));
        topics.into_iter().filter(ours).collect()
    };
    let known: BTreeSet<String> = next.keys().map(|of| of.topic.to_string()).collect();
    if known == wanted {
        return Ok(());
    }
    next.retain(|of, _| wanted.contains(&*of.topic));
    for topic in wanted.difference(&known) {
        let info = log.topic(topic).await?;
        for partition in 0..info.map_or(0, |info| info.partitions) {
            next.insert(TopicPartition::new(topic.as_str(), partition), 0);
        }
    }
    reader.assign(next).await?;
    Ok(())
}

/// Where the topics of a run end that is wanted whole.
async fn look_for_ends(
    shared: &Shared,
    log: &dyn Log,
    next: &BTreeMap<TopicPartition, i64>,
    ends: &mut BTreeMap<String, BTreeMap<TopicPartition, i64>>,
) -> Outcome {
    let wanted: Vec<String> = {
        let wanted = shared.wanted_whole.lock();
        let open = |(run, done): &(&String, &bool)| !**done && !ends.contains_key(*run);
        wanted
            .iter()
            .filter(open)
            .map(|(run, _)| run.clone())
            .collect()
    };
    for run in wanted {
        let mut of_run = BTreeMap::new();
        for of in next.keys().filter(|of| is_of(&of.topic, &run)) {
            of_run.insert(of.clone(), log.offset_at(of, At::Latest).await?);
        }
        ends.insert(run, of_run);
    }
    Ok(())
}

fn tell_whole(
    shared: &Shared,
    next: &BTreeMap<TopicPartition, i64>,
    ends: &mut BTreeMap<String, BTreeMap<TopicPartition, i64>>,
) {
    let read = |(of, end): (&TopicPartition, &i64)| next.get(of).is_some_and(|at| at >= end);
    ends.retain(|run, of_run| {
        let whole = of_run.iter().all(read);
        if whole {
            shared.wanted_whole.lock().insert(run.clone(), true);
        }
        !whole
    });
    shared.changed.notify_all();
}

fn keep(shared: &Shared, batch: &Encoded, next: &mut BTreeMap<TopicPartition, i64>) {
    let mut runs = shared.runs.lock();
    for record in &batch.records {
        let of = TopicPartition::new(Arc::clone(&record.topic), record.partition.unwrap_or(0));
        // What a cancelled fetch brings once more is passed by.
        match next.get_mut(&of) {
            Some(at) if *at <= record.offset => *at = record.offset + 1,
            _ => continue,
        }
        let run = runs.iter_mut().find(|(run, _)| is_of(&record.topic, run));
        if let Some((_, topics)) = run {
            let records = topics.entry(record.topic.to_string()).or_default();
            records.push(Record::of(batch, record));
        }
    }
    shared.changed.notify_all();
}

/// Whether a run's name is part of a topic's, in which a Unicode strategy has written its underscores as `_u005f`.
fn is_of(topic: &str, run: &str) -> bool {
    topic.contains(run) || topic.contains("_u005f") && topic.replace("_u005f", "_").contains(run)
}
