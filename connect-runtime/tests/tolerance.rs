//! Records that cannot be handled: tolerated, kept as dead letters, or the end of their task.

mod connectors;

use connect_runtime::State;
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{SMALL_TOPIC, Worker, collecting, counting, until},
};

#[tokio::test]
async fn without_tolerance_a_record_that_cannot_be_encoded_ends_the_task() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("tolerance-1");
    upstream.set(|state| (state.rows, state.bad_row) = (10, Some(4)));
    worker.create("src", &counting("tolerance-1")).await;
    let status = worker.task_is("src", State::Failed).await;
    let trace = status.tasks[0].trace.clone().unwrap();
    assert!(
        trace.contains("Tolerance exceeded in error handler (code = "),
        "{trace}"
    );
    assert!(trace.contains("stage = VALUE_CONVERTER"), "{trace}");
    assert!(trace.contains("Caused by:"), "{trace}");
    assert_eq!(upstream.get().pruned, 0, "Invariant 1");
    worker.stop().await;
}

#[tokio::test]
async fn with_tolerance_it_is_skipped() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("tolerance-2");
    upstream.set(|state| (state.rows, state.bad_row) = (10, Some(4)));
    let mut config = counting("tolerance-2");
    config.extend([("errors.tolerance", "all"), ("errors.log.enable", "true")]);
    worker.create("src", &config).await;
    upstream.told(10).await;
    let keys: Vec<String> = worker
        .records("tolerance-2")
        .await
        .into_iter()
        .filter_map(|record| record.key)
        .collect();
    let expected: Vec<String> = (1..=10)
        .filter(|id| *id != 4)
        .map(|id| format!(r#"{{"id":{id}}}"#))
        .collect();
    assert_eq!(keys, expected);
    worker.stop().await;
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_by_the_log_alone() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("tolerance-3");
    upstream.set(|state| (state.rows, state.long_row) = (10, Some((7, 20_000))));
    let mut config = counting("tolerance-3");
    config.extend([("errors.tolerance", "all")]);
    config.extend(SMALL_TOPIC);
    worker.create("src", &config).await;
    upstream.told(10).await;
    assert_eq!(worker.records("tolerance-3").await.len(), 9);
    worker.herder.delete("src").await.unwrap();

    let upstream = Upstream::named("tolerance-3b");
    upstream.set(|state| (state.rows, state.long_row) = (10, Some((7, 20_000))));
    let mut config = counting("tolerance-3b");
    config.extend(SMALL_TOPIC);
    worker.create("strict", &config).await;
    let status = worker.task_is("strict", State::Failed).await;
    let trace = status.tasks[0].trace.clone().unwrap();
    assert!(trace.contains("record.too_large"), "{trace}");
    worker.stop().await;
}

#[tokio::test]
async fn what_the_destination_refuses_becomes_a_dead_letter_that_explains_itself() {
    let worker = Worker::start(&[]).await;
    let destination = Destination::named("tolerance-4");
    Upstream::named("tolerance-4").set(|state| state.rows = 10);
    destination.set(|state| state.refuses = Some("6".to_owned()));
    worker.create("src", &counting("tolerance-4")).await;
    let mut sink = collecting("tolerance-4", "tolerance-4");
    sink.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dead-4"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    worker.create("snk", &sink).await;
    until("the others arrive", async || {
        (destination.ids().len() == 9).then_some(())
    })
    .await;
    let letter = until("the letter is there", async || {
        worker.records("dead-4").await.into_iter().next()
    })
    .await;
    assert_eq!(letter.key.as_deref(), Some(r#"{"id":6}"#));
    assert_eq!(letter.value.as_deref(), Some(r#"{"id":6,"text":"row 6"}"#));
    let header = |name: &str| {
        let name = format!("__connect.errors.{name}");
        letter
            .headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or("none")
    };
    assert_eq!(header("topic"), "tolerance-4");
    assert_eq!((header("partition"), header("offset")), ("0", "5"));
    assert_eq!((header("connector.name"), header("task.id")), ("snk", "0"));
    assert_eq!(header("stage"), "TASK_PUT");
    assert_eq!(header("exception.class.name"), "record.invalid");
    assert_eq!(
        header("exception.message"),
        "the destination does not like it"
    );
    assert!(header("exception.stacktrace").contains("Remedy"));
    worker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_decoded_becomes_a_dead_letter_or_ends_the_task() {
    let worker = Worker::start(&[]).await;
    let log = &worker.log;
    log.create_topics(&[connect_log::TopicSpec::new("raw-5", 1)])
        .await
        .unwrap();
    let mut appender = log
        .appender(connect_log::AppenderSpec::default())
        .await
        .unwrap();
    let mut records = connect_core::Encoded::default();
    let topic = "raw-5".into();
    records.push(&topic, None, Some(br#"{"id":1}"#), -1);
    records.push(&topic, None, Some(b"{not json"), -1);
    records.push(&topic, None, Some(br#"{"id":3}"#), -1);
    appender.append(&records).await.unwrap();
    appender.commit(None).await.unwrap();

    worker
        .create("strict", &collecting("raw-5", "tolerance-5s"))
        .await;
    let status = worker.task_is("strict", State::Failed).await;
    let trace = status.tasks[0].trace.clone().unwrap();
    assert!(
        trace.contains("stage = VALUE_CONVERTER, topic = raw-5, partition = 0, offset = 1"),
        "{trace}"
    );

    let mut sink = collecting("raw-5", "tolerance-5");
    sink.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dead-5"),
    ]);
    worker.create("snk", &sink).await;
    let destination = Destination::named("tolerance-5");
    until("the others arrive", async || {
        (destination.ids() == [1, 3]).then_some(())
    })
    .await;
    let letter = until("the letter is there", async || {
        worker.records("dead-5").await.into_iter().next()
    })
    .await;
    assert_eq!(letter.value.as_deref(), Some("{not json"));
    assert_eq!(letter.headers, [], "no headers unless asked for");
    worker.stop().await;
}
