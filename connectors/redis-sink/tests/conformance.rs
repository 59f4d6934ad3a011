//! The sink suite against a real Redis, for every kind of value.

mod server;

use connect_core::testing::{changes::Shape, sink_suite};
use server::{Kind, Server};

const HASH: &[(&str, &str)] = &[("redis.type", "HASH")];
const MERGED: &[(&str, &str)] = &[("redis.type", "HASH"), ("redis.hash.mode", "merge")];
const STRING: &[(&str, &str)] = &[("redis.type", "STRING"), ("redis.json.format", "string")];

#[tokio::test]
async fn hashes_conform() {
    let server = Server::start();
    for (prefix, properties) in [("replaced", HASH), ("merged", MERGED)] {
        let kind = Kind {
            server: &server,
            properties,
        };
        sink_suite::run(&kind, prefix).await;
    }
}

#[tokio::test]
async fn json_strings_conform() {
    let server = Server::start();
    let kind = Kind {
        server: &server,
        properties: STRING,
    };
    sink_suite::run(&kind, "text").await;
}

/// Invariant 6: replays of any suffix of the log give the same final state.
#[tokio::test]
async fn many_logs_converge_on_replay() {
    let server = Server::start();
    for seed in 100..160 {
        for (name, properties) in [("hash", HASH), ("merged", MERGED), ("string", STRING)] {
            let kind = Kind {
                server: &server,
                properties,
            };
            let shape = if seed % 2 == 0 {
                Shape::Envelope
            } else {
                Shape::Flat
            };
            sink_suite::replay(&kind, &format!("{name}.{seed}"), shape, seed).await;
        }
    }
}
