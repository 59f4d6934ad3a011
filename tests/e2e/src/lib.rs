//! The program as its users meet it: started as a process, driven over REST, watched from outside.

pub mod configs;
pub mod counters;
mod log;
mod rest;
mod suite;
mod worker;

pub use log::LogKind;
pub use rest::Rest;
pub use suite::{is_long, rounds};
pub use worker::{Worker, WorkerOptions};

/// A test's result.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
