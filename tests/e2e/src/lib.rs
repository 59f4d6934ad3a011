//! The program as its users meet it: started as a process, driven over REST, watched from outside.

pub mod bank;
mod collector;
pub mod configs;
pub mod counters;
mod fleet;
mod fleet_scene;
mod following;
pub mod items;
mod load;
mod log;
pub mod mysql;
pub mod raw;
pub mod registered;
mod rest;
pub mod scene;
pub mod shapes;
mod suite;
mod worker;

pub use collector::Collector;
pub use fleet::{Fellow, Fleet};
pub use fleet_scene::{ALL, FleetScene, Plot};
pub use following::Following;
pub use load::{Load, Rounds};
pub use log::LogKind;
pub use raw::Raw;
pub use rest::Rest;
pub use scene::{Fault, Scene};
pub use suite::{is_long, rounds};
pub use worker::{Worker, WorkerOptions};

/// A test's result.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
