//! What may be sent when: the first row of a table before its others, the last one behind them.

use connect_core::{Error, Result, error::INTERNAL};
use tokio::sync::watch;

use super::Part;

/// How far all parts are.
#[derive(Debug)]
struct State {
    /// For each table, whether its first row has been sent; there may be none.
    begun: Vec<bool>,
    /// For each table, how many of its parts are not complete.
    left: Vec<u32>,
    /// Whether somebody who reads a part has died.
    is_broken: bool,
}

/// Stands before the queue. What passes is in the queue before anything that waits for it.
#[derive(Debug)]
pub(super) struct Gate {
    state: watch::Sender<State>,
    last_with_rows: usize,
}

impl Gate {
    /// For these parts; the last row of all is in the last table with rows.
    pub(super) fn new(parts: &[Part], tables: usize, last_with_rows: usize) -> Self {
        let mut state = State {
            begun: vec![true; tables],
            left: vec![0; tables],
            is_broken: false,
        };
        for part in parts {
            if let Some(left) = state.left.get_mut(part.table) {
                *left += 1;
            }
            // What was begun by an earlier try needs no first row.
            if part.range.opens()
                && let Some(begun) = state.begun.get_mut(part.table)
            {
                *begun = false;
            }
        }
        Self {
            state: watch::Sender::new(state),
            last_with_rows,
        }
    }

    /// Waits until rows of a part may be sent: behind the first row of all, and behind the first row of its table.
    pub(super) async fn begin(&self, part: &Part) -> Result<()> {
        let may = |state: &State| {
            let has_begun = |table: usize| state.begun.get(table).copied().unwrap_or(true);
            let opens = part.range.opens();
            (has_begun(0) || (opens && part.table == 0)) && (opens || has_begun(part.table))
        };
        self.wait(may).await
    }

    /// Waits until the last row of a part may be sent: that of a table behind all its others, that of all behind everything.
    pub(super) async fn end(&self, part: &Part) -> Result<()> {
        if !part.range.closes() {
            return Ok(());
        }
        let is_last = part.table == self.last_with_rows;
        let may = |state: &State| {
            let left = match is_last {
                // What comes behind it has no rows.
                true => state.left.get(..=part.table),
                false => state.left.get(part.table..=part.table),
            };
            left.unwrap_or(&[]).iter().sum::<u32>() <= 1
        };
        self.wait(may).await
    }

    /// The first rows of a part have been sent.
    pub(super) fn began(&self, part: &Part) {
        if part.range.opens() {
            self.state.send_if_modified(|state| {
                let begun = state.begun.get_mut(part.table);
                begun.is_some_and(|begun| !std::mem::replace(begun, true))
            });
        }
    }

    /// All rows of a part have been sent.
    pub(super) fn ended(&self, part: &Part) {
        self.began(part);
        self.state.send_modify(|state| {
            if let Some(left) = state.left.get_mut(part.table) {
                *left = left.saturating_sub(1);
            }
        });
    }

    /// Somebody who reads has died, so that nobody must wait for him.
    pub(super) fn breaks(&self) {
        self.state.send_modify(|state| state.is_broken = true);
    }

    /// Whether somebody has died.
    pub(super) fn is_broken(&self) -> bool {
        self.state.borrow().is_broken
    }

    async fn wait(&self, may: impl Fn(&State) -> bool) -> Result<()> {
        let mut seen = self.state.subscribe();
        let state = seen.wait_for(|state| state.is_broken || may(state)).await;
        match state {
            Ok(state) if !state.is_broken => Ok(()),
            _ => Err(died()),
        }
    }
}

/// The error of those who depend on somebody who has died.
pub(super) fn died() -> Error {
    Error::new(&INTERNAL, "a thread that reads a table has died")
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::snapshot::Range;

    fn part(table: usize, after: &[&str], upto: &[&str]) -> Part {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Part {
            table,
            index: 0,
            of: 1,
            range: Range::Keys {
                after: texts(after),
                upto: texts(upto),
            },
        }
    }

    async fn passes(waits: impl Future<Output = Result<()>>) -> bool {
        let mut waits = pin!(waits);
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(waits.as_mut().poll(cx).is_ready()));
        polled.await
    }

    #[tokio::test]
    async fn first_rows_go_before_others_and_last_ones_behind() {
        let (low, high) = (part(0, &[], &["5"]), part(0, &["5"], &[]));
        let (other, empty) = (part(1, &[], &[]), part(2, &[], &[]));
        let parts = [low.clone(), high.clone(), other.clone(), empty.clone()];
        let gate = Gate::new(&parts, 3, 1);
        assert!(!passes(gate.begin(&high)).await && !passes(gate.begin(&other)).await);
        assert!(passes(gate.begin(&low)).await);
        gate.began(&low);
        assert!(passes(gate.begin(&high)).await && passes(gate.begin(&other)).await);
        assert!(!passes(gate.end(&high)).await && !passes(gate.end(&other)).await);
        assert!(passes(gate.end(&low)).await);
        gate.ended(&low);
        assert!(passes(gate.end(&high)).await && !passes(gate.end(&other)).await);
        gate.ended(&high);
        assert!(
            passes(gate.end(&other)).await,
            "the empty table is not waited for"
        );
    }

    #[tokio::test]
    async fn nobody_waits_for_the_dead_or_for_what_an_earlier_try_began() {
        let (rest, high) = (part(0, &["3"], &["5"]), part(0, &["5"], &[]));
        let gate = Gate::new(&[rest, high.clone()], 1, 0);
        assert!(passes(gate.begin(&high)).await);
        assert!(!passes(gate.end(&high)).await);
        gate.breaks();
        assert!(gate.is_broken() && gate.end(&high).await.is_err());
    }
}
