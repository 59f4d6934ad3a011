//! Signals from elsewhere: a topic, a file, requests. They are read beside the stream, which never waits for them.

use std::{path::Path, sync::Mutex, time::Duration};

use connect_core::{
    Result,
    config::List,
    outside::{Letters, Outside, Since},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
    time::{interval, sleep},
};

use crate::signal::Signal;

/// Invariant 4: so many signals wait; the channels wait when there are more.
const WAITING: usize = 64;
/// After an error a channel is tried again this much later.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a look into the topic waits at least, so that its records have time to come.
const LOOK: Duration = Duration::from_millis(200);
/// A file that is larger than this is no file of signals.
const MOST_BYTES: u64 = 1 << 20;

/// Which channels there are: Debezium's properties.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `topic.prefix`
    pub prefix: &'a str,
    /// `signal.enabled.channels`
    pub channels: &'a List,
    /// `signal.kafka.topic`
    pub topic: Option<&'a str>,
    /// `signal.kafka.groupId`
    pub group: &'a str,
    /// `signal.file`
    pub file: &'a str,
    /// `signal.poll.interval.ms`
    pub every: Duration,
    /// `signal.kafka.poll.timeout.ms`
    pub patience: Duration,
}

/// A signal, or what was meant to be one.
#[derive(Debug)]
pub struct Came {
    /// The signal; or why it is none.
    pub signal: Result<Signal, String>,
    /// Its place in the topic that it came from.
    pub offset: Option<i64>,
}

/// The channels of a task. They end with it.
#[derive(Debug)]
pub struct Channels {
    outside: Outside,
    waiting: Mutex<Receiver<Came>>,
    readers: Vec<JoinHandle<()>>,
}

impl Channels {
    /// Opens what is enabled; `behind` is the last record of the topic that was obeyed.
    pub fn open(wanted: Wanted<'_>, outside: &Outside, behind: Option<i64>) -> Self {
        let (send, waiting) = channel(WAITING);
        let has = |name: &str| wanted.channels.0.iter().any(|one| one == name);
        let mut readers = Vec::new();
        if has("kafka") {
            let usual = || format!("{}-signal", wanted.prefix);
            let topic = Topic {
                name: wanted.topic.map_or_else(usual, str::to_owned),
                group: wanted.group.to_owned(),
                key: wanted.prefix.to_owned(),
                every: wanted.every,
                wait: wanted.patience.max(LOOK),
            };
            let run = topic.run(outside.clone(), behind, send.clone());
            readers.push(tokio::spawn(run));
        }
        if has("file") {
            let path = wanted.file.to_owned();
            tracing::info!(path, "signals are read from a file");
            readers.push(tokio::spawn(file(path, wanted.every, send)));
        }
        outside.inbox().attend();
        Self {
            outside: outside.clone(),
            waiting: Mutex::new(waiting),
            readers,
        }
    }

    /// The next signal that waits.
    pub fn next(&self) -> Option<Came> {
        if let Some(message) = self.outside.inbox().take() {
            return Some(came(message.as_bytes(), None));
        }
        self.waiting.lock().ok()?.try_recv().ok()
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

fn came(text: &[u8], offset: Option<i64>) -> Came {
    Came {
        signal: Signal::of_json(text).map_err(|why| why.to_string()),
        offset,
    }
}

struct Topic {
    name: String,
    group: String,
    key: String,
    every: Duration,
    wait: Duration,
}

impl Topic {
    async fn run(self, outside: Outside, mut behind: Option<i64>, send: Sender<Came>) {
        loop {
            let Err(error) = self.follow(&outside, &mut behind, &send).await else {
                return;
            };
            tracing::warn!(topic = self.name, %error, "signals of a topic cannot be read now");
            sleep(AGAIN).await;
        }
    }

    /// Reads until nobody takes signals any more, or the log fails.
    async fn follow(
        &self,
        outside: &Outside,
        behind: &mut Option<i64>,
        send: &Sender<Came>,
    ) -> Result<()> {
        let since = Since {
            behind: *behind,
            group: &self.group,
        };
        let mut letters = outside.read(&self.name, since).await?;
        tracing::info!(topic = self.name, "signals are read from a topic");
        let mut ticks = interval(self.every.max(Duration::from_millis(1)));
        let mut passed = None;
        loop {
            ticks.tick().await;
            // Not before they had the time of a round to be obeyed: Debezium would begin behind them.
            if let Some(offset) = Option::take(&mut passed) {
                letters.done(offset).await?;
            }
            for letter in next(&mut letters, self.wait).await? {
                (*behind, passed) = (Some(letter.offset), Some(letter.offset));
                let is_ours = letter.key.as_deref() == Some(self.key.as_bytes());
                let Some(value) = letter.value.filter(|_| is_ours) else {
                    continue;
                };
                if send.send(came(&value, Some(letter.offset))).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

async fn next(
    letters: &mut Box<dyn Letters>,
    wait: Duration,
) -> Result<Vec<connect_core::outside::Letter>> {
    letters.next(wait).await
}

/// Looks into a file, line by line, and empties it.
async fn file(path: String, every: Duration, send: Sender<Came>) {
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        let lines = match read_and_empty(Path::new(&path)) {
            Ok(lines) => lines,
            Err(error) => {
                tracing::warn!(path, %error, "signals of a file cannot be read now");
                sleep(AGAIN).await;
                continue;
            }
        };
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            if send.send(came(line.as_bytes(), None)).await.is_err() {
                return;
            }
        }
    }
}

/// A file that is not there is empty.
fn read_and_empty(path: &Path) -> std::io::Result<String> {
    let size = match std::fs::metadata(path) {
        Ok(file) if file.is_file() => file.len(),
        Ok(_) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if size == 0 {
        return Ok(String::new());
    }
    if size > MOST_BYTES {
        return Err(std::io::Error::other("the file is too large"));
    }
    let bytes = std::fs::read(path)?;
    std::fs::write(path, [])?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
