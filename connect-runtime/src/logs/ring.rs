//! The newest lines of one connector. They are numbered, so that who reads on knows how many are gone.

use std::collections::VecDeque;

use super::{BYTES, LINES, LogLine, Page, Which};

/// Invariant 4: bounded in lines and bytes.
#[derive(Debug, Default)]
pub(super) struct Ring {
    lines: VecDeque<LogLine>,
    /// The number of the first of them.
    first: u64,
    bytes: usize,
}

impl Ring {
    /// Takes a line in; those that are too many go. Gives the bytes of all.
    pub(super) fn push(&mut self, line: LogLine) -> usize {
        self.bytes += line.bytes();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            self.shorten();
        }
        self.bytes
    }

    /// Takes the oldest line away; gives its bytes.
    pub(super) fn shorten(&mut self) -> usize {
        let freed = self.lines.pop_front().map_or(0, |line| line.bytes());
        self.first += u64::from(freed > 0);
        self.bytes -= freed;
        freed
    }

    /// The bytes of all lines.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the next line.
    pub(super) fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The newest lines that fit, or with `from` those from this number on. A number that is not reached yet is of another life.
    pub(super) fn page(&self, which: &Which, from: Option<u64>) -> Page {
        let fits = |line: &&LogLine| {
            which.level.is_none_or(|level| line.level >= level)
                && which.task.is_none_or(|task| line.task == Some(task))
        };
        let from = from.map(|from| if from > self.next() { 0 } else { from });
        let lines = match from {
            Some(from) => {
                let skipped = from.saturating_sub(self.first) as usize;
                self.lines
                    .iter()
                    .skip(skipped)
                    .filter(fits)
                    .cloned()
                    .collect()
            }
            None => {
                let newest = self.lines.iter().rev().filter(fits).take(which.lines);
                let mut lines: Vec<_> = newest.cloned().collect();
                lines.reverse();
                lines
            }
        };
        Page {
            lines,
            missed: from.map_or(0, |from| self.first.saturating_sub(from)),
            next: self.next(),
        }
    }
}
