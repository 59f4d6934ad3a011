//! The worker on a real Kafka.

mod connectors;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use connect_core::Encoded;
use connect_log::{AppenderSpec, Log, kafka::KafkaLog};
use connect_runtime::State;
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{Worker, collecting, counting, until},
};
use stack::{Kafka, Stack};

struct Shared {
    _stack: Stack,
    kafka: Kafka,
}

/// One broker for all tests of this program: they use topics of their own.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let stack = Stack::new().expect("a folder for servers");
    let kafka = stack.kafka().expect("a broker");
    Shared {
        _stack: stack,
        kafka,
    }
});

fn log() -> Arc<dyn Log> {
    let bootstrap = SHARED.kafka.bootstrap().to_owned();
    KafkaLog::connect(&BTreeMap::from([(
        "bootstrap.servers".to_owned(),
        bootstrap,
    )]))
    .expect("the settings of a log")
}

/// Internal topics and a group of its own for each test.
async fn worker(group: &str, more: &[(&str, &str)]) -> Worker {
    let [configs, offsets, statuses] =
        ["configs", "offsets", "statuses"].map(|n| format!("{group}-{n}"));
    let mut properties = vec![
        ("group.id", group),
        ("config.storage.topic", &configs),
        ("offset.storage.topic", &offsets),
        ("status.storage.topic", &statuses),
    ];
    properties.extend(more);
    Worker::start_on(log(), &properties).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_through_kafka_and_a_new_worker_goes_on() {
    let (upstream, destination) = (Upstream::named("kafka-1"), Destination::named("kafka-1"));
    upstream.set(|state| state.rows = 500);
    let first = worker("kafka-1", &[]).await;
    first.create("src", &counting("kafka-1")).await;
    first.create("snk", &collecting("kafka-1", "kafka-1")).await;
    until("all rows arrive", async || {
        (destination.ids().len() >= 500).then_some(())
    })
    .await;
    upstream.told(500).await;
    until("the sink commits", async || {
        let offsets = first.herder.offsets("snk").await.unwrap();
        (offsets.first()?.offset["kafka_offset"] == 500).then_some(())
    })
    .await;
    first.stop().await;
    upstream.set(|state| state.rows = 600);
    let second = worker("kafka-1", &[]).await;
    until("more rows arrive", async || {
        (destination.ids().len() >= 600).then_some(())
    })
    .await;
    assert_eq!(destination.ids(), (1..=600).collect::<Vec<u64>>());
    assert_eq!(upstream.get().opens, [0, 500]);
    second.herder.stop("snk").await.unwrap();
    until("its offsets can be reset", async || {
        second.herder.reset_offsets("snk").await.ok()
    })
    .await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_once_in_kafka_over_panics_restarts_and_zombies() {
    let once = [("exactly.once.source.support", "enabled")];
    let upstream = Upstream::named("kafka-2");
    let mut running = worker("kafka-2", &once).await;
    running.create("src", &counting("kafka-2")).await;
    for round in 1..=4_u64 {
        upstream.set(|state| state.rows = round * 200);
        if round % 2 == 0 {
            upstream.set(|state| state.panic_at = Some(round * 200 - 55));
            running.task_is("src", State::Failed).await;
            upstream.set(|state| state.panic_at = None);
            running.herder.restart_task("src", 0).await.unwrap();
        }
        upstream.told(round * 200).await;
        running.stop().await;
        // A zombie of the old generation comes to life for a moment.
        let id = Some("kafka-2-src-0".to_owned());
        let spec = AppenderSpec {
            transactional_id: id,
            ..AppenderSpec::default()
        };
        let mut zombie = log().appender(spec).await.unwrap();
        let mut late = Encoded::default();
        late.push(&"kafka-2".into(), None, Some(b"zombie"), -1);
        zombie.append(&late).await.unwrap();
        running = worker("kafka-2", &once).await;
        running.task_is("src", State::Running).await;
        assert!(zombie.commit(None).await.is_err(), "the zombie is fenced");
    }
    let keys: Vec<String> = running
        .records("kafka-2")
        .await
        .into_iter()
        .filter_map(|r| r.key)
        .collect();
    let expected: Vec<String> = (1..=800).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    assert_eq!(keys, expected);
    running.stop().await;
}
