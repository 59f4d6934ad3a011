//! Counts tests over everything that ran.

use std::fmt;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One test.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
        }
    }

    /// The figures of a line `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (_, figures) = line.split_once("test result: ")?;
        let figure = |name| {
            figures
                .split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
        };
        Some(Self {
            passed: figure("passed")?,
            failed: figure("failed")?,
        })
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_harness_and_sums() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.1s";
        let mut tally = Tally::of_line(line).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 12,
                failed: 3
            }
        );
        tally.add(Tally::one(true));
        assert_eq!(tally.to_string(), "13 passed, 3 failed");
        assert_eq!(Tally::of_line("test tally::reads ... ok"), None);
    }
}
