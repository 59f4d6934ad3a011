//! Reads the binlog of MySQL and MariaDB.
//!
//! ```text
//! wire ─packets─▶ binlog ─events─▶ layout ─values─▶ convert ─cells─▶ …
//!                                    declared ─▶ types ───┘
//! ```
//!
//! Read in this order: [`wire`] (the server), [`binlog`] (its events), [`layout`] (the values in a row), [`types`]
//! (what becomes of a column), [`convert`] (what becomes of its values),
//! [`ddl`] (what statements do to tables), [`course`] (which rows are sent) and [`position`] (where that leaves the task).

pub mod binlog;
pub mod charset;
pub mod config;
pub mod convert;
pub mod course;
pub mod ddl;
pub mod decimal;
pub mod declared;
pub mod error;
#[doc(hidden)]
pub mod fuzz;
pub mod geometry;
pub mod gtid;
pub mod json;
pub mod layout;
pub mod position;
pub mod source;
pub mod temporal;
pub mod types;
pub mod vector;
pub mod wire;
