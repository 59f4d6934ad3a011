//! Offsets over the handle: only of a stopped connector, in Kafka Connect's words.

mod connectors;

use connect_runtime::State;
use connectors::{
    counting::Upstream,
    worker::{Worker, collecting, counting, refused, until},
};
use serde_json::json;

#[tokio::test]
async fn offsets_can_be_changed_only_while_stopped() {
    let worker = Worker::start(&[]).await;
    let h = &worker.herder;
    let upstream = Upstream::named("offsets-1");
    upstream.set(|state| state.rows = 10);
    worker.create("src", &counting("offsets-1")).await;
    upstream.told(10).await;
    let partition = json!({"upstream": "offsets-1", "task": 0});
    let change = |row: i64| vec![(partition.clone(), Some(json!({"row": row})))];
    let (status, what) = refused(h.alter_offsets("src", change(2)).await);
    assert_eq!(status, 400);
    assert_eq!(
        what,
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/src/stop' endpoint"
    );
    assert_eq!(
        refused(h.alter_offsets("src", Vec::new()).await).1,
        "Partitions / offsets need to be provided for an alter offsets request"
    );
    h.stop("src").await.unwrap();
    until("it is altered", async || {
        h.alter_offsets("src", change(12)).await.ok()
    })
    .await;
    assert_eq!(
        h.offsets("src").await.unwrap()[0].offset,
        json!({"row": 12})
    );
    upstream.set(|state| state.rows = 14);
    h.resume("src").await.unwrap();
    until("it goes on from there", async || {
        (upstream.get().opens == [0, 12]).then_some(())
    })
    .await;
    h.stop("src").await.unwrap();
    until("it is reset", async || h.reset_offsets("src").await.ok()).await;
    assert_eq!(h.offsets("src").await.unwrap(), []);
    worker.stop().await;
}

#[tokio::test]
async fn offsets_of_a_sink_are_those_of_its_group() {
    let worker = Worker::start(&[]).await;
    let h = &worker.herder;
    Upstream::named("offsets-2").set(|state| state.rows = 10);
    worker.create("src", &counting("offsets-2")).await;
    worker
        .create("snk", &collecting("offsets-2", "offsets-2"))
        .await;
    worker.task_is("snk", State::Running).await;
    until("the sink commits", async || {
        h.offsets("snk").await.unwrap().pop()
    })
    .await;
    h.stop("snk").await.unwrap();
    let bad = vec![(json!({"topic": "t"}), Some(json!({"offset": 1})))];
    let word = until("it is looked at", async || {
        let (_, what) = refused(h.alter_offsets("snk", bad.clone()).await);
        what.starts_with("The partition").then_some(what)
    });
    assert_eq!(
        word.await,
        "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
    );
    let one = vec![(
        json!({"kafka_topic": "offsets-2", "kafka_partition": 0}),
        Some(json!({"kafka_offset": 3})),
    )];
    let answer = h.alter_offsets("snk", one).await.unwrap();
    assert_eq!(
        answer,
        "The offsets for this connector have been altered successfully"
    );
    let offsets = serde_json::to_value(h.offsets("snk").await.unwrap()).unwrap();
    assert_eq!(
        offsets,
        json!([{"partition": {"kafka_partition": 0, "kafka_topic": "offsets-2"}, "offset": {"kafka_offset": 3}}])
    );
    h.reset_offsets("snk").await.unwrap();
    assert_eq!(h.offsets("snk").await.unwrap(), []);
    worker.stop().await;
}
