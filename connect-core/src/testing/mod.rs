//! Conformance suites that every connector runs in its own tests, against the real server.

pub mod changes;
pub mod random;
pub mod sink_suite;
pub mod source_suite;
