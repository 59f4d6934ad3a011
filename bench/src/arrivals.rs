//! When records of a topic could be read, beside when their changes were committed.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use e2e::Outcome;
use stack::Kafka;

/// One record. Both clocks are this machine's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// When the change was committed, in microseconds of Unix time.
    pub(crate) committed_us: u64,
    /// When a consumer had the record.
    pub(crate) seen_us: u64,
}

/// A consumer of partition 0 that reads what is committed, as soon as it is.
pub(crate) struct Arrivals {
    reader: Child,
    seen: Receiver<Arrival>,
}

impl Arrivals {
    /// Reads a topic from its beginning; at most `most` arrivals wait to be taken.
    pub(crate) fn watch(
        kafka: &Kafka,
        topic: &str,
        most: usize,
        commit_us: fn(&str) -> Option<u64>,
    ) -> Outcome<Self> {
        let words = ["-C", "-t", topic, "-p", "0", "-o", "beginning", "-u"];
        let mut command = kafka.kcat_command(&words);
        command.args(["-f", "%s\n"]);
        for property in [
            "isolation.level=read_committed",
            "fetch.wait.max.ms=10",
            "fetch.min.bytes=1",
        ] {
            command.args(["-X", property]);
        }
        let mut reader = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(reader.stdout.take().ok_or("kcat has no output")?).lines();
        let (sender, seen) = sync_channel(most);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let Some(committed_us) = commit_us(&line) else {
                    continue;
                };
                let seen_us = now_us();
                let arrival = Arrival {
                    committed_us,
                    seen_us,
                };
                if sender.send(arrival).is_err() {
                    return;
                }
            }
        });
        Ok(Self { reader, seen })
    }

    /// The next record; an error when none comes within `limit`.
    pub(crate) fn next(&self, limit: Duration) -> Outcome<Arrival> {
        let waited = self.seen.recv_timeout(limit);
        waited.map_err(|_| format!("no record within {limit:?}").into())
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.reader.kill();
        let _ = self.reader.wait();
    }
}

/// Microseconds of Unix time.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}
