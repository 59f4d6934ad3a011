//! The life of a task as a value: what it is, what happens, what follows. Pure.

use std::time::Duration;

use connect_core::{Error, Verdict};

/// A run that lasted this long after it was open counts as healthy, and forgets the errors before it.
pub(crate) const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// What a task is.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    /// It is being opened; with the number of tries that failed before, and the last error.
    Starting(u32, Option<Error>),
    /// It works.
    Running(u32),
    /// It waits for the next try.
    Backoff(u32, Error),
    /// It failed for good.
    Failed(Error),
    /// It was told to stop, and has.
    Stopped,
}

/// What happens to a task.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// It is open.
    Opened,
    /// It ended with an error, so long after it was open.
    Broke(Error, Duration),
    /// The delay is over.
    Waited,
    /// It was told to stop, and has.
    Stopped,
}

/// What the supervisor has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing but to show the new state.
    Show,
    /// Start a run.
    Start,
    /// Wait, then tell that it has waited.
    Wait(Duration),
    /// End.
    Finish,
}

/// How often and after which delays a task is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// The first delay; it doubles with each try.
    pub(crate) first: Duration,
    /// The longest delay.
    pub(crate) longest: Duration,
    /// After so many tries in a row the task fails for good; `None` for no end.
    pub(crate) max_attempts: Option<u32>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            max_attempts: None,
        }
    }
}

impl RetryPolicy {
    /// The delay before a try: doubled each time, and of that between a half and all, so that many tasks do not come at once.
    ///
    /// `jitter` is between 0 and 1. The delay that an error asks for is the least.
    pub(crate) fn delay(&self, attempt: u32, error: &Error, jitter: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        let delay = full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        error.delay().map_or(delay, |asked| asked.max(delay))
    }
}

/// What follows.
pub(crate) fn next(life: Life, event: Event, policy: &RetryPolicy, jitter: f64) -> (Life, Effect) {
    match (life, event) {
        (_, Event::Stopped) => (Life::Stopped, Effect::Finish),
        (Life::Starting(attempt, _), Event::Opened) => (Life::Running(attempt), Effect::Show),
        (Life::Starting(attempt, _), Event::Broke(error, _)) => {
            broke(attempt, error, policy, jitter)
        }
        (Life::Running(attempt), Event::Broke(error, lasted)) => {
            let attempt = if lasted >= HEALTHY_AFTER { 0 } else { attempt };
            broke(attempt, error, policy, jitter)
        }
        (Life::Backoff(attempt, error), Event::Waited) => {
            (Life::Starting(attempt, Some(error)), Effect::Start)
        }
        (life, _) => (life, Effect::Show),
    }
}

fn broke(failed_before: u32, error: Error, policy: &RetryPolicy, jitter: f64) -> (Life, Effect) {
    let attempt = failed_before + 1;
    let exhausted = policy.max_attempts.is_some_and(|max| attempt >= max);
    // A record that is refused ends the task here: tolerating it was the worker's business.
    if error.verdict() != Verdict::Retry || exhausted {
        return (Life::Failed(error), Effect::Finish);
    }
    let delay = policy.delay(attempt, &error, jitter);
    (Life::Backoff(attempt, error), Effect::Wait(delay))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::error::{CONFIG_INVALID, RECORD_INVALID};
    use connect_log::UNAVAILABLE;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        max_attempts: None,
    };

    fn away() -> Error {
        Error::new(&UNAVAILABLE, "the server is away")
    }

    fn broke_after(life: Life, lasted: Duration) -> (Life, Effect) {
        next(life, Event::Broke(away(), lasted), &POLICY, 1.0)
    }

    #[test]
    fn an_error_that_passes_is_waited_for_with_growing_delays() {
        let mut life = Life::Starting(0, None);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let (waiting, effect) = broke_after(life, Duration::ZERO);
            assert_eq!(effect, Effect::Wait(Duration::from_secs(seconds)));
            let (starting, effect) = next(waiting, Event::Waited, &POLICY, 1.0);
            assert_eq!(effect, Effect::Start);
            assert!(matches!(starting, Life::Starting(_, Some(_))));
            life = starting;
        }
    }

    #[test]
    fn health_forgets_and_a_short_run_does_not() {
        let (life, effect) = broke_after(Life::Running(5), HEALTHY_AFTER);
        assert!(matches!(life, Life::Backoff(1, _)));
        assert_eq!(effect, Effect::Wait(Duration::from_secs(1)));
        let (life, _) = broke_after(Life::Running(5), Duration::from_millis(1));
        assert!(matches!(life, Life::Backoff(6, _)));
    }

    #[test]
    fn other_errors_are_final() {
        for code in [&CONFIG_INVALID, &RECORD_INVALID] {
            let event = Event::Broke(Error::new(code, "no"), Duration::ZERO);
            let (life, effect) = next(Life::Running(0), event, &POLICY, 0.0);
            assert!(matches!(life, Life::Failed(_)));
            assert_eq!(effect, Effect::Finish);
        }
    }

    #[test]
    fn the_cap_on_attempts_holds() {
        let capped = RetryPolicy {
            max_attempts: Some(2),
            ..POLICY
        };
        let event = || Event::Broke(away(), Duration::ZERO);
        let (life, effect) = next(Life::Starting(0, None), event(), &capped, 0.0);
        assert_eq!(effect, Effect::Wait(Duration::from_millis(500)));
        let (life, _) = next(life, Event::Waited, &capped, 0.0);
        let (life, effect) = next(life, event(), &capped, 0.0);
        assert!(matches!(life, Life::Failed(_)));
        assert_eq!(effect, Effect::Finish);
    }

    #[test]
    fn the_delay_that_an_error_asks_for_is_the_least() {
        let asks = away().retry_after(Duration::from_secs(7));
        assert_eq!(POLICY.delay(1, &asks, 0.0), Duration::from_secs(7));
        assert_eq!(POLICY.delay(8, &asks, 1.0), Duration::from_secs(60));
    }
}
