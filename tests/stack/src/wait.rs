//! Waiting for a condition: the only place that sleeps.

use crate::{Error, Result};
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Asks `condition` every 20 ms until it answers `true`. After `limit`, the error names `what`.
/// An error of `condition` ends the wait at once.
pub fn wait_until(
    what: &str,
    limit: Duration,
    condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    wait_in_steps(what, limit, STEP, condition)
}

/// The same, asking less often: for measurements, which a condition that costs much would disturb.
pub fn wait_in_steps(
    what: &str,
    limit: Duration,
    step: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let end = Instant::now() + limit;
    while !condition()? {
        if Instant::now() >= end {
            return Err(Error::new(format!("{what}: still not so after {limit:?}")));
        }
        #[allow(clippy::disallowed_methods)]
        std::thread::sleep(step);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_as_soon_as_the_condition_holds() {
        let mut asked = 0;
        wait_until("three", Duration::from_secs(5), || {
            asked += 1;
            Ok(asked == 3)
        })
        .unwrap();
        assert_eq!(asked, 3);
    }

    #[test]
    fn names_what_it_waited_for() {
        let error = wait_until("the sea to part", Duration::ZERO, || Ok(false)).unwrap_err();
        assert!(error.to_string().starts_with("the sea to part"), "{error}");
    }
}
