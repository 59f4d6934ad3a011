//! The contract between connectors, codecs, logs and the runtime.
//!
//! A source appends rows to a [`Batch`]; a converter encodes them into [`Encoded`]; a log makes
//! those durable; progress comes back as a [`Watermark`]. A sink is the mirror. This crate does no
//! I/O and starts no task.
//!
//! Read in this order: [`schema`] and [`cell`] (what a value is), [`batch`] (many of them),
//! [`source`] and [`sink`] (what a connector does), [`config`] and [`error`] (how it speaks).

pub mod batch;
pub mod boxed;
pub mod cell;
pub mod change;
pub mod codec;
pub mod compiled;
pub mod config;
pub mod datum;
pub mod decimal;
pub mod encoded;
pub mod error;
pub mod finding;
pub mod guard;
pub mod java_regex;
pub mod json;
pub mod keep;
pub mod meter;
pub mod outside;
pub mod plugin;
pub mod position;
pub mod rewind;
pub mod route;
pub mod schema;
pub mod secret;
pub mod sink;
pub mod source;
pub mod template;
pub mod temporal;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transform;
pub mod unavailable;
pub mod value;
pub mod watermark;

pub use batch::{Batch, Header, HeaderRun, Record};
pub use boxed::BoxFuture;
pub use cell::{Cell, Nest, Span};
pub use config::{Config, Properties};
pub use datum::Datum;
pub use encoded::Encoded;
pub use error::{Code, Error, Result, Verdict};
pub use finding::Finding;
pub use position::Position;
pub use route::Route;
pub use schema::{Field, Form, Schema, Type};
pub use secret::Secret;
pub use sink::{Rejects, SinkConnector, SinkTask};
pub use source::{SourceConnector, SourceTask, Start, TaskPlan};
pub use value::Value;
pub use watermark::{Advance, Watermark};
