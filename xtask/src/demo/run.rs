//! The demo at work: a line a second.

use std::time::{Duration, Instant};

use super::{
    Result,
    heartbeat::Beats,
    inventory::Inventory,
    lag::{Watch, quantile, shown},
    mirror::Mirror,
    progress::{Progress, grouped},
    redis::RedisMirror,
    rest::Rest,
    search::SearchMirror,
    servers::Servers,
    stop::Stop,
    watches::Watches,
    worker::Worker,
    writers::Writers,
};

const SECOND: Duration = Duration::from_secs(1);
/// When nothing has come to the sinks for so long, nothing will.
const STILL_LIMIT: Duration = Duration::from_secs(120);

/// What runs.
pub(super) struct Run<'a> {
    pub(super) progress: Progress,
    pub(super) worker: &'a Worker,
    pub(super) rest: &'a Rest,
    /// The user's wish to end.
    pub(super) stop: &'a Stop,
    pub(super) beats: Beats,
    pub(super) writers: Writers,
    pub(super) watches: Watches,
    /// Redis and the search engine.
    pub(super) mirrors: [Box<dyn Mirror>; 2],
}

/// The lags of one sink over all of the run.
pub(super) struct Lags {
    name: &'static str,
    all: Vec<Duration>,
}

impl<'a> Run<'a> {
    /// Starts the writers and the watches.
    pub(super) fn start(
        progress: Progress,
        servers: &Servers,
        inventory: Inventory,
        (worker, rest, stop): (&'a Worker, &'a Rest, &'a Stop),
    ) -> Result<Self> {
        let beats = Beats::default();
        let prefix = servers.database.prefix();
        Ok(Self {
            progress,
            worker,
            rest,
            stop,
            writers: Writers::start(servers, inventory, &beats)?,
            watches: Watches::start(servers, &beats)?,
            beats,
            mirrors: [
                Box::new(RedisMirror::open(&servers.redis, prefix)?),
                Box::new(SearchMirror::new(&servers.search, prefix)),
            ],
        })
    }

    /// Shows the snapshot until changes stream into both sinks; false when the user wants to end.
    pub(super) fn snapshot(&mut self, rows: u32) -> Result<bool> {
        let begun = Instant::now();
        let mut moved = Instant::now();
        let mut before = [0, 0];
        while !self.watches.are_streaming() {
            if self.stop.wait(SECOND) || self.ended()? {
                return Ok(false);
            }
            let held = [self.mirrors[0].rows()?, self.mirrors[1].rows()?];
            if held != before {
                (moved, before) = (Instant::now(), held);
            }
            let [redis, search] = held.map(grouped);
            self.progress.say(format_args!(
                "snapshot of {} rows: redis {redis}, search {search}",
                grouped(rows.into())
            ));
            if moved.elapsed() > STILL_LIMIT {
                return Err(format!(
                    "nothing comes to the sinks any more; see {}",
                    self.worker.server.log_path().display()
                )
                .into());
            }
        }
        let took = begun.elapsed().as_secs_f64();
        self.progress.say(format_args!(
            "the snapshot is done, changes stream ({took:.1} s, while the workload ran)"
        ));
        self.progress.say(
            "lag from commit to: redis, the row is there; search, a search finds it (an index refreshes once a second)",
        );
        Ok(true)
    }

    /// Shows rows and lags for a length of time, or until the user wants to end.
    pub(super) fn stream(&mut self, length: Option<Duration>) -> Result<[Lags; 2]> {
        let begun = Instant::now();
        let mut lags = self.watches.all.each_ref().map(|watch| {
            // These waited for the snapshot.
            let _ = watch.take();
            Lags {
                name: watch.name,
                all: Vec::new(),
            }
        });
        let (mut from, mut before) = (begun, self.writers.rows());
        while length.is_none_or(|length| begun.elapsed() < length) {
            if self.stop.wait(SECOND) || self.ended()? {
                break;
            }
            let (now, rows) = (Instant::now(), self.writers.rows());
            let rate = (rows - before) as f64 / (now - from).as_secs_f64();
            (from, before) = (now, rows);
            let mut line = format!("{:>7} rows/s", grouped(rate as u64));
            for (watch, lags) in self.watches.all.iter().zip(&mut lags) {
                line += &second(watch, lags);
            }
            self.progress.say(line);
        }
        Ok(lags)
    }

    /// Ends the writers and the watches; an error when one of them had ended before.
    pub(super) fn end(self) -> Result<()> {
        let written = self.writers.end();
        self.watches.end()?;
        written.map(|_| ())
    }

    /// True when a writer or a watch has ended; an error when the worker or a connector has.
    fn ended(&self) -> Result<bool> {
        self.worker.alive()?;
        self.rest.healthy()?;
        Ok(self.writers.has_ended() || self.watches.has_ended())
    }
}

/// What one sink did in the last second.
fn second(watch: &Watch, lags: &mut Lags) -> String {
    let mut fresh = watch.take();
    fresh.sort();
    let text = match fresh.last() {
        Some(most) => format!("{} (max {})", shown(quantile(&fresh, 0.5)), shown(*most)),
        None => format!("{} behind", shown(watch.behind())),
    };
    lags.all.append(&mut fresh);
    format!("   {} {text:<18}", watch.name)
}

impl Lags {
    /// One line.
    pub(super) fn summary(&mut self) -> String {
        self.all.sort();
        let [half, most, last] = [0.5, 0.99, 1.0].map(|share| shown(quantile(&self.all, share)));
        format!(
            "commit to {}: p50 {half}, p99 {most}, max {last}, of {} beats",
            self.name,
            self.all.len()
        )
    }
}
