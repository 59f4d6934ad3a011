//! What Kafka's brokers send, and members of groups to each other.

use connect_log::kafka::fuzz;

/// Record batches, end to end. Without checksums, so that all behind them sees the damage.
pub fn batches(input: &[u8]) {
    for checks in [false, true] {
        let _ = fuzz::batches(input, checks);
    }
}

/// A member's subscription, or its assignment.
pub fn member(input: &[u8]) {
    fuzz::member(input);
}

/// An answer of a broker: a number for the question, then its bytes.
pub fn answer(input: &[u8]) {
    if let Some((question, body)) = input.split_first() {
        fuzz::answer(*question, body);
    }
}
