//! The Kafka log against a real broker: the suite that every log passes, and what only Kafka does.
//!
//! The `measure_…` tests are for numbers, not for truth: `TIDEWATER_MEASURE=1 cargo test --release -p connect-log --test kafka measure -- --nocapture`.

mod kafka {
    mod admin;
    mod append;
    mod broker;
    mod conformance;
    mod faults;
    mod groups;
    mod measure;
    mod members;
    mod moves;
    mod rare;
    mod secure;
    mod trouble;
}
