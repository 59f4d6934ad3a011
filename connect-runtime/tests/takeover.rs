//! A worker goes on where a stopped Kafka Connect cluster was, from the bytes that it left.

#![allow(clippy::unwrap_used)]

mod connectors;

use std::sync::Arc;

use connect_core::Encoded;
use connect_log::{AppenderSpec, Log, TopicSpec, memory::MemoryLog};
use connect_runtime::State;
use connectors::{
    counting::Upstream,
    worker::{Worker, records},
};

async fn write(log: &Arc<dyn Log>, topic: &str, partitions: i32, entries: &[(&str, &str)]) {
    log.create_topics(&[TopicSpec::new(topic, partitions).compacted()])
        .await
        .unwrap();
    let mut records = Encoded::default();
    let name: Arc<str> = topic.into();
    for (key, value) in entries {
        let value = Some(value.as_bytes()).filter(|bytes| *bytes != b"null");
        records.push(&name, Some(key.as_bytes()), value, -1);
    }
    let mut appender = log.appender(AppenderSpec::default()).await.unwrap();
    appender.append(&records).await.unwrap();
    appender.commit(None).await.unwrap();
}

/// What a Kafka Connect leaves: one connector that ran, one that was stopped, one that was deleted, one of a class nobody has.
async fn left_behind() -> Arc<dyn Log> {
    let log: Arc<dyn Log> = MemoryLog::new();
    let properties = r#"{"connector.class":"io.example.Counting","upstream":"takeover","topic":"takeover","name":"src"}"#;
    let (connector, task) = (
        format!(r#"{{"properties":{properties}}}"#),
        format!(
            r#"{{"properties":{}}}"#,
            properties.replace(
                "\"name\"",
                "\"task.class\":\"io.example.CountingTask\",\"name\""
            )
        ),
    );
    let configs = [
        (
            "session-key",
            r#"{"key":"eA==","algorithm":"HmacSHA256","creation-timestamp":1795367359083}"#,
        ),
        ("connector-src", connector.as_str()),
        ("task-src-0", task.as_str()),
        ("commit-src", r#"{"tasks":1}"#),
        ("tasks-fencing-src", r#"{"task-count":1}"#),
        (
            "target-state-still",
            r#"{"state":"PAUSED","state.v2":"STOPPED"}"#,
        ),
        (
            "connector-still",
            r#"{"properties":{"connector.class":"io.example.Counting","upstream":"still","topic":"still","name":"still"}}"#,
        ),
        (
            "connector-gone",
            r#"{"properties":{"connector.class":"io.example.Counting","name":"gone"}}"#,
        ),
        ("connector-gone", "null"),
        (
            "connector-foreign",
            r#"{"properties":{"connector.class":"com.example.Foreign","name":"foreign"}}"#,
        ),
    ];
    write(&log, "connect-configs", 1, &configs).await;
    let offsets = [(
        r#"["src",{"upstream":"takeover","task":0}]"#,
        r#"{"row":40}"#,
    )];
    write(&log, "connect-offsets", 25, &offsets).await;
    let status = r#"{"state":"RUNNING","trace":null,"worker_id":"10.0.0.9:8083","generation":7,"version":"4.3.0"}"#;
    let statuses = [
        ("status-connector-src", status),
        ("status-task-src-0", status),
        ("status-connector-gone", status),
        (
            "status-topic-takeover:connector-src",
            r#"{"topic":{"name":"takeover","connector":"src","task":0,"discoverTimestamp":1795367433764}}"#,
        ),
    ];
    write(&log, "connect-status", 5, &statuses).await;
    log
}

#[tokio::test]
async fn a_stopped_cluster_is_taken_over_and_handed_back() {
    let upstream = Upstream::named("takeover");
    upstream.set(|state| (state.rows, state.pruned) = (50, 40));
    let address = [("listeners", "http://localhost:8083")];
    let worker = Worker::start_on(left_behind().await, &address).await;
    assert_eq!(
        worker.herder.connectors().await,
        ["foreign", "src", "still"]
    );
    upstream.told(50).await;
    assert_eq!(upstream.get().opens, [40]);
    assert_eq!(worker.herder.topics("src").await.unwrap(), ["takeover"]);
    let still = worker.herder.status("still").await.unwrap();
    assert_eq!(
        (still.connector.state, still.tasks.len()),
        (State::Stopped, 0)
    );
    let foreign = worker.herder.status("foreign").await.unwrap();
    assert_eq!(foreign.connector.state, State::Failed);
    assert!(
        foreign
            .connector
            .trace
            .unwrap()
            .contains("com.example.Foreign")
    );
    assert_eq!(
        worker
            .herder
            .status("gone")
            .await
            .unwrap_err()
            .code()
            .status,
        404
    );

    let log = worker.stop().await;
    let last = |records: Vec<connectors::worker::Read>, key: &str| {
        records
            .into_iter()
            .rfind(|r| r.key.as_deref() == Some(key))
            .and_then(|r| r.value)
    };
    let offsets = records(&log, "connect-offsets").await;
    assert_eq!(
        last(offsets, r#"["src",{"upstream":"takeover","task":0}]"#).as_deref(),
        Some(r#"{"row":50}"#)
    );
    let statuses = records(&log, "connect-status").await;
    let task = last(statuses.clone(), "status-task-src-0").unwrap();
    assert_eq!(
        task,
        r#"{"state":"UNASSIGNED","trace":null,"worker_id":"localhost:8083","generation":8,"version":null}"#
    );
    assert_eq!(last(statuses, "status-connector-gone"), None);
}

#[tokio::test]
async fn a_topic_of_the_wrong_shape_is_refused() {
    for (topic, spec, word) in [
        (
            "connect-configs",
            TopicSpec::new("connect-configs", 3).compacted(),
            "single partition",
        ),
        (
            "connect-status",
            TopicSpec::new("connect-status", 5),
            "cleanup.policy=compact",
        ),
    ] {
        let log: Arc<dyn Log> = MemoryLog::new();
        log.create_topics(&[spec]).await.unwrap();
        let config = connect_runtime::WorkerConfig::default();
        let started = connect_runtime::Runtime::start(config, log, Vec::new()).await;
        let error = started.err().unwrap_or_else(|| panic!("{topic} is taken"));
        assert!(error.to_string().contains(word), "{error}");
    }
}
