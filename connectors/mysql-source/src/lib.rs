//! Reads the binlog of MySQL and MariaDB.
//!
//! ```text
//! wire ─packets─▶ binlog ─events─▶ …
//! ```
//!
//! Read in this order: [`wire`] (the server), [`binlog`] (its events).

pub mod binlog;
pub mod config;
pub mod error;
pub mod wire;
