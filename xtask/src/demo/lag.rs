//! From commit to sink: how long each beat takes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Result, heartbeat::Beats, mirror::Mirror, stop::Stop};

/// Looks at one sink for beats.
pub(super) struct Watch {
    /// The sink's name.
    pub(super) name: &'static str,
    beats: Beats,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct Seen {
    /// The beat that was there first: it came with the snapshot.
    first: Option<u64>,
    last: u64,
    fresh: Vec<Duration>,
}

impl Watch {
    /// Looks every `step` until `stop`. A lag is at most that much too long.
    pub(super) fn start(
        mut mirror: Box<dyn Mirror>,
        step: Duration,
        beats: Beats,
        stop: Stop,
    ) -> Result<Self> {
        let name = mirror.name();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (into, times) = (Arc::clone(&seen), beats.clone());
        let looking = move || {
            while !stop.wait(step) {
                if let Some(beat) = mirror.beat()? {
                    locked(&into).see(beat, &times);
                }
            }
            Ok(())
        };
        let thread = thread::Builder::new()
            .name(format!("watch-{name}"))
            .spawn(looking)?;
        Ok(Self {
            name,
            beats,
            seen,
            thread,
        })
    }

    /// Whether changes arrive: the snapshot is done.
    pub(super) fn is_streaming(&self) -> bool {
        let seen = locked(&self.seen);
        seen.first.is_some_and(|first| seen.last > first)
    }

    /// Whether every beat so far is there.
    pub(super) fn is_at(&self, beat: u64) -> bool {
        locked(&self.seen).last >= beat
    }

    /// The lags of the beats that came since the last call.
    pub(super) fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut locked(&self.seen).fresh)
    }

    /// How long the oldest beat that is not there yet has been committed; zero when all are there.
    pub(super) fn behind(&self) -> Duration {
        let next = locked(&self.seen).last + 1;
        self.beats.age(next).unwrap_or_default()
    }

    /// An error when it ended before its time.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end after `stop`.
    pub(super) fn join(self) -> Result<()> {
        self.thread.join().map_err(|_| "a watch panicked")?
    }
}

impl Seen {
    fn see(&mut self, beat: u64, times: &Beats) {
        if self.first.is_none() {
            (self.first, self.last) = (Some(beat), beat);
        }
        // A beat seen before its commit was answered took no time.
        let lags = (self.last + 1..=beat).map(|it| times.age(it).unwrap_or_default());
        self.fresh.extend(lags);
        self.last = self.last.max(beat);
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lag that this share of a sorted list does not exceed.
pub(super) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(at.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// A length of time for people: `7 ms`, `1.5 s`.
pub(super) fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_list() {
        let millis: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&millis, 0.5), Duration::from_millis(50));
        assert_eq!(quantile(&millis, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&millis, 1.0), Duration::from_millis(100));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
        assert_eq!(shown(Duration::from_millis(1500)), "1.5 s");
    }

    #[test]
    fn the_beat_of_the_snapshot_has_no_lag() {
        let mut seen = Seen::default();
        seen.see(5, &Beats::default());
        assert!(seen.fresh.is_empty());
        seen.see(8, &Beats::default());
        assert_eq!((seen.fresh.len(), seen.last), (3, 8));
        seen.see(8, &Beats::default());
        assert_eq!(seen.fresh.len(), 3);
    }
}
