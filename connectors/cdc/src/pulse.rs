//! What a running stream shows of itself, for Debezium's streaming metrics and for the time that records take.

use connect_core::{
    Batch,
    meter::{Gauge, Meter},
};

use crate::change::{Op, Tally};

/// The operations that are counted apart, and the names of their counts.
const COUNTED: [(Op, &str); 3] = [
    (Op::Create, "create-events-seen-total"),
    (Op::Update, "update-events-seen-total"),
    (Op::Delete, "delete-events-seen-total"),
];

/// The numbers of a stream. Dropped with it, it shows no connection.
#[derive(Debug)]
pub struct Pulse {
    connected: Gauge,
    behind: Gauge,
    commit: Gauge,
    last: Gauge,
    events: Gauge,
    counted: [Gauge; COUNTED.len()],
    /// What is counted already.
    told: Tally,
}

impl Pulse {
    /// Of a stream that has begun. Counts go on from those of earlier streams of the task.
    pub fn new(meter: &Meter) -> Self {
        let pulse = Self {
            connected: meter.gauge("connected"),
            behind: meter.gauge("milliseconds-behind-source"),
            commit: meter.gauge("last-commit-timestamp-ms"),
            last: meter.gauge("last-event-timestamp-ms"),
            events: meter.gauge("events-seen-total"),
            counted: COUNTED.map(|(_, name)| meter.gauge(name)),
            told: Tally::default(),
        };
        pulse.connected.set(1);
        pulse
    }

    /// A poll has ended at `now_ms`. Its last records were committed at `commit_ms`; `tally` counts all records of the stream.
    pub fn polled(&mut self, out: &Batch, tally: Tally, commit_ms: i64, now_ms: i64) {
        if out.is_empty() {
            self.behind.set(0);
            return;
        }
        self.behind.set((now_ms - commit_ms).max(0));
        self.commit.set(commit_ms);
        self.last.set(now_ms);
        let fresh = |op: usize| tally[op].wrapping_sub(self.told[op]).cast_signed();
        for ((op, _), gauge) in COUNTED.iter().zip(&self.counted) {
            gauge.add(fresh(*op as usize));
        }
        self.events.add((0..tally.len()).map(fresh).sum());
        self.told = tally;
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.connected.set(0);
        self.behind.set(0);
        // Rows of a snapshot have no commit that they could be measured from.
        self.commit.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_on_over_streams_and_a_quiet_poll_is_not_behind() {
        let meter = Meter::default();
        let number = |name| {
            let all = meter.read();
            all.iter().find(|(one, _)| *one == name).map(|(_, n)| *n)
        };
        let mut out = Batch::default();
        let cell = connect_core::Cell::Null;
        out.push(connect_core::Record::new(0, cell, cell));
        for round in 1..=2 {
            let mut pulse = Pulse::new(&meter);
            pulse.polled(&out, [2, 0, 1, 0, 0, 0], 5, 12);
            assert_eq!(number("milliseconds-behind-source"), Some(7));
            assert_eq!(number("events-seen-total"), Some(round * 3));
            assert_eq!(number("create-events-seen-total"), Some(round * 2));
            assert_eq!(number("last-commit-timestamp-ms"), Some(5));
            assert_eq!(number("connected"), Some(1));
            pulse.polled(&Batch::default(), [2, 0, 1, 0, 0, 0], 5, 90);
            assert_eq!(number("milliseconds-behind-source"), Some(0));
            drop(pulse);
            assert_eq!(number("connected"), Some(0));
        }
    }
}
