//! How much of its time a task has run or been paused, since this worker has it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::answers::State;

/// The times in states. Before the first state there are none.
#[derive(Debug, Default)]
pub(crate) struct Ratios(Mutex<Option<Times>>);

#[derive(Debug)]
struct Times {
    began: Instant,
    state: State,
    since: Instant,
    running: Duration,
    paused: Duration,
}

impl Times {
    /// Counts the time in the present state up to now.
    fn count(&mut self, now: Instant) {
        let passed = now.duration_since(self.since);
        match self.state {
            State::Running => self.running += passed,
            State::Paused => self.paused += passed,
            _ => {}
        }
        self.since = now;
    }
}

impl Ratios {
    /// The task is in this state from now on.
    pub(crate) fn entered(&self, state: State) {
        let now = Instant::now();
        let mut times = self.0.lock();
        let times = times.get_or_insert(Times {
            began: now,
            state,
            since: now,
            running: Duration::ZERO,
            paused: Duration::ZERO,
        });
        times.count(now);
        times.state = state;
    }

    /// The shares of running and of being paused, from 0 to 1.
    pub(super) fn read(&self) -> (f64, f64) {
        let now = Instant::now();
        let mut times = self.0.lock();
        let Some(times) = &mut *times else {
            return (0.0, 0.0);
        };
        times.count(now);
        let all = now.duration_since(times.began).as_secs_f64();
        let share = |time: Duration| {
            if all > 0.0 {
                time.as_secs_f64() / all
            } else {
                0.0
            }
        };
        (share(times.running), share(times.paused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn times_in_states_are_shares_of_all() {
        let ratios = Ratios::default();
        assert_eq!(ratios.read(), (0.0, 0.0));
        for (state, seconds) in [
            (State::Restarting, 1),
            (State::Running, 5),
            (State::Paused, 2),
            (State::Failed, 2),
        ] {
            ratios.entered(state);
            tokio::time::advance(Duration::from_secs(seconds)).await;
        }
        assert_eq!(ratios.read(), (0.5, 0.2));
    }
}
