//! What was logged of a connector: pages, and bodies that go on.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use connect_runtime::{
    Logs,
    logs::{Filed, LINES, LogLevel, Told, Which},
};
use serde_json::{Map, Value, json};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::site::{Site, ask};

/// Nothing takes longer.
const LIMIT: Duration = Duration::from_secs(60);

fn file(logs: &Logs, connector: &str, level: LogLevel, task: Option<u32>, message: &str) {
    let fields = Map::from_iter([("error".to_owned(), json!("the cause"))]);
    let filed = Filed {
        level,
        task,
        logger: "test".to_owned(),
        message: message.to_owned(),
        fields,
    };
    logs.file(connector, filed);
}

/// A site with two connectors that run nothing, and what was logged of them.
async fn site() -> (Site, SocketAddr) {
    let mut site = Site::new().await;
    let address = site.serve(&[]).await[0];
    for name in ["a", "b"] {
        let config = [
            ("connector.class", "FileStreamSource"),
            ("topic", name),
            ("file", "none"),
        ];
        let config = config.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        let stopped = connect_runtime::TargetState::Stopped;
        let created = site
            .herder
            .create(name, BTreeMap::from(config), Some(stopped));
        created.await.unwrap();
    }
    file(&site.logs, "a", LogLevel::Info, Some(0), "first");
    file(&site.logs, "b", LogLevel::Info, Some(0), "of another");
    file(&site.logs, "a", LogLevel::Error, Some(1), "second");
    (site, address)
}

async fn lines(of: SocketAddr, path: &str) -> Vec<Value> {
    let answer = ask(of, &format!("GET {path}"), "", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["lines"].as_array().unwrap().clone()
}

fn messages(lines: &[Value]) -> Vec<&str> {
    let messages = lines.iter().map(|line| line["message"].as_str().unwrap());
    messages.collect()
}

#[tokio::test]
async fn lines_of_one_connector_are_listed() {
    let (site, address) = site().await;
    let all = lines(address, "/connectors/a/logs").await;
    assert_eq!(messages(&all), ["first", "second"]);
    let line = &all[1];
    assert_eq!(line["level"], "ERROR");
    assert_eq!(
        (&line["connector"], &line["task"]),
        (&json!("a"), &json!(1))
    );
    assert_eq!(line["fields"], json!({"error": "the cause"}));
    let worker = line["worker"].as_str().unwrap();
    assert!(worker.ends_with(":8083"), "{worker}");
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    for (query, expected) in [
        ("lines=1", ["second"].as_slice()),
        ("lines=0", &[]),
        ("level=warn", &["second"]),
        ("task=0", &["first"]),
        ("task=0&level=ERROR", &[]),
    ] {
        let some = lines(address, &format!("/connectors/a/logs?{query}")).await;
        assert_eq!(messages(&some), expected, "{query}");
    }
    for (path, status) in [
        ("/connectors/none/logs", 404),
        ("/connectors/none/logs?follow=true", 404),
        ("/connectors/a/logs?level=loud", 400),
        ("/connectors/a/logs?lines=1001", 400),
        ("/connectors/a/logs?lines=-1", 400),
        ("/connectors/a/logs?line=1", 400),
    ] {
        let answer = ask(address, &format!("GET {path}"), "", "").await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    site.stop().await;
}

/// A body that goes on.
struct Following {
    stream: TcpStream,
    seen: String,
}

impl Following {
    async fn start(to: SocketAddr, path: &str, accept: &str) -> Self {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let seen = String::new();
        Self { stream, seen }
    }

    async fn until(&mut self, says: &str) {
        let mut bytes = [0; 4096];
        while !self.seen.contains(says) {
            let read = timeout(LIMIT, self.stream.read(&mut bytes)).await;
            let read = read
                .unwrap_or_else(|_| panic!("{says} in {}", self.seen))
                .unwrap();
            assert!(read > 0, "{says} in {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }
}

#[tokio::test]
async fn a_follower_is_told_every_new_line_until_the_connector_is_deleted() {
    let (site, address) = site().await;
    let path = "/connectors/a/logs?follow=true&lines=1";
    let mut events = Following::start(address, path, "text/event-stream").await;
    let mut json_lines = Following::start(address, path, "application/json").await;
    for following in [&mut events, &mut json_lines] {
        following.until("second").await;
        assert!(!following.seen.contains("first"), "{}", following.seen);
    }
    file(&site.logs, "b", LogLevel::Info, None, "of another again");
    file(&site.logs, "a", LogLevel::Info, None, "third");
    for following in [&mut events, &mut json_lines] {
        following.until("third").await;
    }
    site.herder.delete("a").await.unwrap();
    for following in [&mut events, &mut json_lines] {
        // The end of a body in chunks.
        following.until("\r\n0\r\n\r\n").await;
        assert!(!following.seen.contains("of another"), "{}", following.seen);
    }
    assert!(
        events.seen.contains("content-type: text/event-stream"),
        "{}",
        events.seen
    );
    assert!(
        events.seen.contains("\r\ndata: {\"time\":"),
        "{}",
        events.seen
    );
    assert!(
        json_lines
            .seen
            .contains("content-type: application/x-ndjson")
    );
    assert!(
        json_lines.seen.contains("\r\n{\"time\":"),
        "{}",
        json_lines.seen
    );
    site.stop().await;
}

#[tokio::test]
async fn a_worker_that_stops_ends_what_follows() {
    let (site, address) = site().await;
    let mut following = Following::start(address, "/connectors/b/logs?follow=true", "*/*").await;
    following.until("of another").await;
    site.stop_worker_first().await;
    following.until("\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_slow_follower_is_told_how_many_lines_it_has_missed() {
    let (site, _) = site().await;
    let which = Which {
        lines: 0,
        ..Which::default()
    };
    let mut told = site.herder.follow_logs("a", &which).await.unwrap();
    file(&site.logs, "a", LogLevel::Info, None, "0");
    let first = timeout(LIMIT, told.recv()).await.unwrap();
    assert!(matches!(first, Some(Told::Line(line)) if line.message == "0"));
    let count = 4 * LINES as u64;
    for number in 1..=count {
        file(&site.logs, "a", LogLevel::Info, None, &number.to_string());
        // The follower gets what it can take.
        tokio::task::yield_now().await;
    }
    let (mut lines, mut missed, mut last) = (0, 0, String::new());
    while lines + missed < count {
        match timeout(LIMIT, told.recv()).await.unwrap().unwrap() {
            Told::Line(line) => (lines, last) = (lines + 1, line.message),
            Told::Missed(more) => missed += more,
        }
    }
    assert_eq!((lines + missed, last), (count, count.to_string()));
    assert!(missed >= LINES as u64, "{missed}");
    site.stop().await;
}
