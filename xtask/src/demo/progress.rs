//! Lines for the terminal, each with the time since the start.

use std::{fmt::Display, time::Instant};

/// Prints what happens.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    from: Instant,
}

impl Progress {
    /// The clock starts now.
    pub(super) fn start() -> Self {
        Self {
            from: Instant::now(),
        }
    }

    /// One line.
    pub(super) fn say(&self, text: impl Display) {
        println!("{:>7.1} s  {text}", self.from.elapsed().as_secs_f64());
    }

    /// Runs a step between two lines; `result` says what came out.
    pub(super) fn step<T, E>(
        &self,
        name: &str,
        step: impl FnOnce() -> Result<T, E>,
        result: impl FnOnce(&T) -> String,
    ) -> Result<T, E> {
        self.say(format_args!("{name} …"));
        let begun = Instant::now();
        let done = step()?;
        let took = begun.elapsed().as_secs_f64();
        self.say(format_args!("{name}: {} ({took:.1} s)", result(&done)));
        Ok(done)
    }
}

/// A number with its thousands apart: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_apart() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
