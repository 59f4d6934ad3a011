//! Records and positions in one transaction, and what a crash between them does.

mod connectors;

use std::time::Duration;

use connect_runtime::State;
use connectors::{
    counting::Upstream,
    worker::{Worker, counting, records, until},
};

const EXACTLY_ONCE: &[(&str, &str)] = &[("exactly.once.source.support", "enabled")];

#[tokio::test]
async fn every_record_is_there_once_over_crashes() {
    let upstream = Upstream::named("once-1");
    let mut log = Worker::start(EXACTLY_ONCE).await;
    log.create("src", &counting("once-1")).await;
    for round in 1..=5_u64 {
        upstream.set(|state| state.rows = round * 100);
        if round % 2 == 0 {
            // It dies in the middle of a batch, with a transaction open.
            upstream.set(|state| state.panic_at = Some(round * 100 - 13));
            log.task_is("src", State::Failed).await;
            upstream.set(|state| state.panic_at = None);
            log.herder.restart_task("src", 0).await.unwrap();
        }
        upstream.told(round * 100).await;
        let stopped = log.stop().await;
        log = Worker::start_on(stopped, EXACTLY_ONCE).await;
    }
    let keys: Vec<String> = log
        .records("once-1")
        .await
        .into_iter()
        .filter_map(|r| r.key)
        .collect();
    let expected: Vec<String> = (1..=500).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    assert_eq!(keys, expected);
    log.stop().await;
}

#[tokio::test]
async fn the_source_is_told_only_what_is_committed() {
    let worker = Worker::start(EXACTLY_ONCE).await;
    let upstream = Upstream::named("once-2");
    upstream.set(|state| state.rows = 10);
    let mut config = counting("once-2");
    config.extend([
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "3600000"),
    ]);
    worker.create("src", &config).await;
    until("the rows are polled", async || {
        (upstream.get().polls == 1).then_some(())
    })
    .await;
    assert_eq!(
        worker.records("once-2").await,
        [],
        "nothing is visible before the commit"
    );
    assert_eq!(upstream.get().pruned, 0);
    assert_eq!(worker.herder.offsets("src").await.unwrap(), []);
    worker.herder.stop("src").await.unwrap();
    upstream.told(10).await;
    assert_eq!(worker.records("once-2").await.len(), 10);
    let offsets = worker.herder.offsets("src").await.unwrap();
    assert_eq!(offsets[0].offset.to_string(), r#"{"row":10}"#);
    worker.stop().await;
}

#[tokio::test]
async fn a_new_generation_is_fenced_and_recorded() {
    let worker = Worker::start(EXACTLY_ONCE).await;
    let upstream = Upstream::named("once-3");
    upstream.set(|state| state.rows = 5);
    worker.create("src", &counting("once-3")).await;
    upstream.told(5).await;
    let log = worker.stop().await;
    let written = records(&log, "connect-configs").await;
    let fencing = written
        .iter()
        .find(|r| r.key.as_deref() == Some("tasks-fencing-src"))
        .unwrap();
    assert_eq!(fencing.value.as_deref(), Some(r#"{"task-count":1}"#));

    // A zombie of the old generation holds the task's transactional id.
    let zombie = connect_log::AppenderSpec {
        transactional_id: Some("connect-cluster-src-0".to_owned()),
        ..Default::default()
    };
    let mut zombie = log.appender(zombie).await.unwrap();
    let mut late = connect_core::Encoded::default();
    late.push(&"once-3".into(), None, Some(b"zombie"), -1);
    zombie.append(&late).await.unwrap();
    upstream.set(|state| state.rows = 8);
    let worker = Worker::start_on(log, EXACTLY_ONCE).await;
    upstream.told(8).await;
    let fenced = zombie.commit(None).await.unwrap_err();
    assert_eq!(fenced.code().name, "log.fenced");
    assert_eq!(worker.records("once-3").await.len(), 8);
    worker.running.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_connector_may_have_a_topic_of_offsets_of_its_own() {
    for (name, properties) in [("own-1", &[][..]), ("own-2", EXACTLY_ONCE)] {
        let upstream = Upstream::named(name);
        upstream.set(|state| state.rows = 5);
        let worker = Worker::start(properties).await;
        let mut config = counting(name);
        config.push(("offsets.storage.topic", "mine"));
        worker.create("src", &config).await;
        upstream.told(5).await;
        let offsets = worker.herder.offsets("src").await.unwrap();
        assert_eq!(offsets[0].offset.to_string(), r#"{"row":5}"#);
        // Whoever looks among those of all finds it too.
        for topic in ["mine", "connect-offsets"] {
            until(&format!("the position is in {topic}"), async || {
                let stored = worker.records(topic).await;
                let last = stored.into_iter().next_back()?;
                (last.value.as_deref() == Some(r#"{"row":5}"#)).then_some(())
            })
            .await;
        }
        let log = worker.stop().await;
        upstream.set(|state| state.rows = 9);
        let worker = Worker::start_on(log, properties).await;
        upstream.told(9).await;
        assert_eq!(worker.records(name).await.len(), 9, "none comes twice");
        worker.herder.stop("src").await.unwrap();
        worker.herder.reset_offsets("src").await.unwrap();
        assert_eq!(worker.herder.offsets("src").await.unwrap(), []);
        worker.stop().await;
    }
}
