//! The Kafka log against a real broker.
//!
//! The `measure_…` tests are for numbers, not for truth: `cargo test --release -p connect-log --test kafka -- --ignored --nocapture`.

mod kafka {
    mod append;
    mod broker;
    mod measure;
}
