//! Bytes from outside, given to everything that reads them. An error is an answer; a panic is a bug (invariant 5).
//!
//! `seeds/TARGET` holds inputs to begin with: bytes of real servers, and whatever once failed. The default suite runs
//! them, cut and changed a little; `cargo xtask fuzz TARGET` looks for more, guided by coverage.

mod json;
mod kafka;
mod log;
mod mysql;
mod postgres;
mod registered;
mod transforms;

pub use json::json;
pub use kafka::{answer, batches, member};
pub use log::{block, file};
pub use mysql::{binlog, compressed, decimal, mysql_json, payload, pieces};
pub use postgres::{copy, extension, offset, pgoutput, signal};
pub use registered::{is_read, registered};
pub use transforms::{is_transformed, transformed};

/// A reader of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: the folder of its seeds.
    pub name: &'static str,
    /// Gives it an input.
    pub run: fn(&[u8]),
    /// How many changed inputs of each seed the default suite gives it.
    pub rounds: u32,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pgoutput",
        run: pgoutput,
        rounds: 300,
    },
    Target {
        name: "copy",
        run: copy,
        rounds: 300,
    },
    Target {
        name: "extension",
        run: extension,
        rounds: 300,
    },
    Target {
        name: "offset",
        run: offset,
        rounds: 300,
    },
    Target {
        name: "signal",
        run: signal,
        rounds: 300,
    },
    Target {
        name: "json",
        run: json,
        rounds: 300,
    },
    Target {
        name: "registered",
        run: registered,
        rounds: 300,
    },
    Target {
        name: "binlog",
        run: binlog,
        rounds: 300,
    },
    Target {
        name: "payload",
        run: payload,
        rounds: 300,
    },
    Target {
        name: "compressed",
        run: compressed,
        rounds: 300,
    },
    Target {
        name: "pieces",
        run: pieces,
        rounds: 100,
    },
    Target {
        name: "mysql_json",
        run: mysql_json,
        rounds: 300,
    },
    Target {
        name: "decimal",
        run: decimal,
        rounds: 300,
    },
    Target {
        name: "block",
        run: block,
        rounds: 300,
    },
    Target {
        name: "batches",
        run: batches,
        rounds: 300,
    },
    Target {
        name: "member",
        run: member,
        rounds: 300,
    },
    Target {
        name: "answer",
        run: answer,
        rounds: 300,
    },
    Target {
        name: "file",
        run: file,
        rounds: 20,
    },
    Target {
        name: "transformed",
        run: transformed,
        rounds: 100,
    },
];
