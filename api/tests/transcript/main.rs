//! Every request that was once recorded from Kafka Connect 4.3 is asked again of this server, and the answers are compared: status,
//! headers, and JSON field by field.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used
)]

mod client;
mod compare;
mod entry;
mod known;
mod server;

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use compare::differences;
use entry::{Answer, Entry};
use known::{DEVIATIONS, Deviation, Ours};
use server::Server;

const RECORDED: &str = include_str!("../golden/rest-transcript-4.3.0.txt");
/// The version of the connectors that were recorded, and so of the test's.
const VERSION: &str = "4.3.0";
/// How long something may take to come about. It is only reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Requests before which the recording waited until `src` and its task ran.
const SOURCE_RUNS_BEFORE: &[&str] = &[
    "create duplicate",
    "restart",
    "restart onlyFailed",
    "restart onlyFailed w/o tasks",
    "restart junk bool",
    "task restart",
    "pause",
    "alter offsets not stopped",
];

#[test]
fn every_recorded_request_is_answered_as_recorded() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let entries = entry::parse(&here(&server));
    assert_eq!(entries.len(), 134, "the whole transcript is read");
    let wrong: Vec<String> = entries
        .iter()
        .flat_map(|entry| replay(server.address, entry))
        .collect();
    runtime.block_on(server.stop());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for Deviation { note, .. } in DEVIATIONS {
        let known = entries.iter().any(|entry| entry.note == *note);
        assert!(known, "no entry is called {note}");
    }
}

/// The transcript with the address, the files and the environment of this test.
fn here(server: &Server) -> String {
    let folder = format!("{}/", server.folder.path().display());
    RECORDED
        .replace("127.0.0.1:38083", &server.address.to_string())
        .replace("/data/", &folder)
        .replace("MYTOPIC", "PATH")
}

/// Asks, and says what is wrong with the answer.
fn replay(server: SocketAddr, entry: &Entry) -> Vec<String> {
    if SOURCE_RUNS_BEFORE.contains(&entry.note.as_str()) {
        wait_for_source(server);
    }
    let deviation = DEVIATIONS.iter().find(|d| d.note == entry.note);
    let judge = |answer: &Answer| match deviation {
        Some(deviation) => deviates(deviation, entry, answer),
        None => differences(&entry.answer, answer),
    };
    let deadline = Instant::now() + PATIENCE;
    let found = loop {
        let found = judge(&client::send(server, entry));
        // The recording waited before it looked; what is looked at may be about to come.
        if found.is_empty() || entry.method != "GET" || Instant::now() > deadline {
            break found;
        }
        thread::park_timeout(PAUSE);
    };
    let place = |what| format!("{} ({} {}): {what}", entry.note, entry.method, entry.path);
    found.into_iter().map(place).collect()
}

/// What is wrong with an answer that differs on purpose. One that does not differ is wrong too: then the list is.
fn deviates(deviation: &Deviation, entry: &Entry, ours: &Answer) -> Vec<String> {
    let mut meant = ours.clone();
    match deviation.ours {
        Ours::Refusal(status, part) => {
            let told: serde_json::Value = serde_json::from_str(&ours.body).unwrap_or_default();
            let message = told["message"].as_str().unwrap_or_default();
            if ours.status != status || told["error_code"] != status || !message.contains(part) {
                return vec![format!("ours {} {}", ours.status, ours.body)];
            }
        }
        Ours::Json(status, body) => (meant.status, meant.body) = (status, body.to_owned()),
        Ours::Allow(methods) => {
            meant = entry.answer.clone();
            meant.headers.insert("allow".to_owned(), methods.to_owned());
        }
    }
    if differences(&entry.answer, ours).is_empty() {
        return vec![format!("it is no deviation any more: {}", deviation.why)];
    }
    differences(&meant, ours)
}

fn wait_for_source(server: SocketAddr) {
    let status = Entry {
        method: "GET".to_owned(),
        path: "/connectors/src/status".to_owned(),
        ..Entry::default()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = client::send(server, &status);
        if answer.body.matches("RUNNING").count() == 2 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "src does not run: {}",
            answer.body
        );
        thread::park_timeout(PAUSE);
    }
}
