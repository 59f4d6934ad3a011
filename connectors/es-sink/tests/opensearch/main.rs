//! The sink against a real OpenSearch.

mod documents;
mod mapping;
mod network;
#[path = "../server/mod.rs"]
mod server;

use std::sync::LazyLock;

use connect_core::testing::{changes::Shape, sink_suite};
use server::{Server, Sinks};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

#[tokio::test]
async fn it_conforms() {
    let sinks = Sinks {
        server: &SERVER,
        properties: &[],
    };
    sink_suite::run(&sinks, "plain").await;
}

#[tokio::test]
async fn it_conforms_with_many_small_requests() {
    let sinks = Sinks {
        server: &SERVER,
        properties: &[
            ("batch.size", "3"),
            ("max.in.flight.requests", "8"),
            ("connection.compression", "true"),
        ],
    };
    sink_suite::run(&sinks, "small").await;
}

#[tokio::test]
async fn it_conforms_without_versions() {
    let sinks = Sinks {
        server: &SERVER,
        properties: &[("version.source", "none"), ("batch.size", "7")],
    };
    sink_suite::run(&sinks, "unversioned").await;
}

/// Invariant 6: replays of any suffix of the log give the same final state.
#[tokio::test]
async fn many_logs_converge_on_replay() {
    let sinks = Sinks {
        server: &SERVER,
        properties: &[("batch.size", "5")],
    };
    for seed in 100..108 {
        let shape = if seed % 2 == 0 {
            Shape::Envelope
        } else {
            Shape::Flat
        };
        sink_suite::replay(&sinks, &format!("many.{seed}"), shape, seed).await;
    }
}
