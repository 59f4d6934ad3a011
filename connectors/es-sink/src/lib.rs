//! Keeps Elasticsearch and OpenSearch in step with topics: a document per row.
//!
//! Each record becomes one whole document or one delete with an external version, so that bulks may run side by side,
//! come again, and come late, and the newest record wins. [`merge`] makes whole documents of rows with absent fields.

mod bulk;
mod check;
mod client;
mod config;
mod document;
mod error;
mod index;
mod keys;
mod mapping;
mod merge;
mod node;
mod outcome;
mod parallel;
mod product;
mod send;
mod task;
mod tls;
mod write;

pub use config::EsConfig;
pub use error::ALL as CODES;
pub use task::{EsSink, EsTask};
