//! From a source to a sink, and what requests do to them.

mod connectors;

use connect_runtime::{State, TargetState};
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{Worker, collecting, counting, given, until},
};

#[tokio::test]
async fn rows_go_from_the_source_through_the_log_to_the_sink() {
    let worker = Worker::start(&[]).await;
    let (upstream, destination) = (Upstream::named("flow-1"), Destination::named("flow-1"));
    upstream.set(|state| state.rows = 25);
    worker.create("src", &counting("flow-1")).await;
    worker.create("snk", &collecting("flow-1", "flow-1")).await;
    until("all rows arrive", async || {
        (destination.ids().len() == 25).then_some(())
    })
    .await;
    assert_eq!(destination.ids(), (1..=25).collect::<Vec<u64>>());
    let first = &worker.records("flow-1").await[0];
    assert_eq!(first.key.as_deref(), Some(r#"{"id":1}"#));
    assert_eq!(first.value.as_deref(), Some(r#"{"id":1,"text":"row 1"}"#));
    let status = worker.task_is("src", State::Running).await;
    assert_eq!(status.connector.state, State::Running);
    assert_eq!(status.connector.version.as_deref(), Some("1.2.3"));
    upstream.told(25).await;
    let offsets = worker.herder.offsets("src").await.unwrap();
    assert_eq!(offsets[0].offset.to_string(), r#"{"row":25}"#);
    until("the sink's offsets are committed", async || {
        let offsets = worker.herder.offsets("snk").await.unwrap();
        let first = offsets.first()?;
        (first.offset["kafka_offset"] == 25).then_some(())
    })
    .await;
    assert_eq!(worker.herder.topics("src").await.unwrap(), ["flow-1"]);
    assert_eq!(worker.herder.topics("snk").await.unwrap(), ["flow-1"]);
    worker.stop().await;
    assert_eq!(upstream.get().closes, 1);
}

#[tokio::test]
async fn a_worker_that_starts_again_goes_on_where_it_was() {
    let worker = Worker::start(&[]).await;
    let (upstream, destination) = (Upstream::named("flow-2"), Destination::named("flow-2"));
    upstream.set(|state| state.rows = 10);
    worker.create("src", &counting("flow-2")).await;
    worker.create("snk", &collecting("flow-2", "flow-2")).await;
    until("rows arrive", async || {
        (destination.ids().len() == 10).then_some(())
    })
    .await;
    let log = worker.stop().await;
    upstream.set(|state| state.rows = 20);
    let worker = Worker::start_on(log, &[]).await;
    until("more rows arrive", async || {
        (destination.ids().len() >= 20).then_some(())
    })
    .await;
    assert_eq!(destination.ids(), (1..=20).collect::<Vec<u64>>());
    assert_eq!(upstream.get().opens, [0, 10]);
    worker.stop().await;
}

#[tokio::test]
async fn pause_resume_stop_and_delete() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("flow-3");
    upstream.set(|state| state.rows = 5);
    worker.create("src", &counting("flow-3")).await;
    worker.task_is("src", State::Running).await;

    worker.herder.pause("src").await.unwrap();
    let paused = worker.task_is("src", State::Paused).await;
    assert_eq!(paused.connector.state, State::Paused);
    upstream.set(|state| state.rows = 8);

    worker.herder.resume("src").await.unwrap();
    worker.task_is("src", State::Running).await;
    upstream.told(8).await;

    worker.herder.stop("src").await.unwrap();
    until("it has no tasks", async || {
        let status = worker.herder.status("src").await.unwrap();
        (status.connector.state == State::Stopped && status.tasks.is_empty()).then_some(())
    })
    .await;
    assert_eq!(worker.herder.info("src").await.unwrap().tasks, []);

    worker.herder.delete("src").await.unwrap();
    assert_eq!(
        worker.herder.status("src").await.unwrap_err().code().status,
        404
    );
    assert_eq!(
        worker.herder.info("src").await.unwrap_err().to_string(),
        "Connector src not found"
    );
    worker.create("src", &counting("flow-3")).await;
    worker.task_is("src", State::Running).await;
    assert_eq!(
        upstream.get().opens.last(),
        Some(&8),
        "offsets outlive their connector"
    );
    worker.stop().await;
}

#[tokio::test]
async fn an_initial_state_holds_until_it_is_resumed() {
    let worker = Worker::start(&[]).await;
    for (name, target, state) in [
        ("flow-4p", TargetState::Paused, State::Paused),
        ("flow-4s", TargetState::Stopped, State::Stopped),
    ] {
        worker
            .herder
            .create(name, given(&counting(name)), Some(target))
            .await
            .unwrap();
        until("it rests", async || {
            let status = worker.herder.status(name).await.ok()?;
            (status.connector.state == state && status.tasks.is_empty()).then_some(())
        })
        .await;
        worker.herder.resume(name).await.unwrap();
        worker.task_is(name, State::Running).await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_changed_configuration_restarts_the_task_from_where_it_was() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("flow-5");
    upstream.set(|state| state.rows = 5);
    worker.create("src", &counting("flow-5")).await;
    upstream.told(5).await;
    let patch = given(&[("batch.size", "3")]);
    worker.herder.patch_config("src", patch).await.unwrap();
    until("it is opened again", async || {
        (upstream.get().opens == [0, 5]).then_some(())
    })
    .await;
    let configs = worker.herder.task_configs("src").await.unwrap();
    assert_eq!(configs[0].1["batch.size"], "3");
    assert_eq!(configs[0].1["task.class"], "test.CountingSourceTask");
    let removed = [("batch.size".to_owned(), None)].into();
    worker.herder.patch_config("src", removed).await.unwrap();
    until("it is opened again", async || {
        (upstream.get().opens == [0, 5, 5]).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn restarts_by_request() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("flow-6");
    worker.create("src", &counting("flow-6")).await;
    worker.task_is("src", State::Running).await;
    assert_eq!(
        worker.herder.restart("src", false, false).await.unwrap(),
        None
    );
    let status = worker
        .herder
        .restart("src", true, false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.connector.state, State::Restarting);
    assert_eq!(status.tasks[0].state, State::Restarting);
    until("the task is opened again", async || {
        (upstream.get().opens.len() == 2).then_some(())
    })
    .await;
    worker.task_is("src", State::Running).await;
    let status = worker
        .herder
        .restart("src", true, true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.tasks[0].state, State::Running, "nothing has failed");
    worker.herder.restart_task("src", 0).await.unwrap();
    until("the task is opened again", async || {
        (upstream.get().opens.len() == 3).then_some(())
    })
    .await;
    let unknown = worker.herder.restart_task("src", 9).await.unwrap_err();
    assert_eq!(
        (unknown.code().status, unknown.to_string().as_str()),
        (404, "Unknown task: src-9")
    );
    worker.stop().await;
}

#[tokio::test]
async fn more_tasks_share_the_work() {
    let worker = Worker::start(&[]).await;
    let destination = Destination::named("flow-7");
    Upstream::named("flow-7").set(|state| state.rows = 30);
    let mut source = counting("flow-7");
    source.extend([
        ("tasks.max", "3"),
        ("topic.creation.default.partitions", "2"),
        ("topic.creation.default.replication.factor", "1"),
    ]);
    worker.create("src", &source).await;
    until("the topic is there", async || {
        worker.log.topic("flow-7").await.unwrap()
    })
    .await;
    let mut sink = collecting("flow-7", "flow-7");
    sink.push(("tasks.max", "2"));
    worker.create("snk", &sink).await;
    until("all rows arrive", async || {
        (destination.ids().len() >= 30).then_some(())
    })
    .await;
    let mut ids = destination.ids();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, (1..=30).collect::<Vec<u64>>());
    assert_eq!(worker.herder.info("src").await.unwrap().tasks.len(), 3);
    assert_eq!(worker.herder.offsets("src").await.unwrap().len(), 3);
    worker.stop().await;
}

#[tokio::test]
async fn transforms_and_predicates_stand_between() {
    let worker = Worker::start(&[]).await;
    let (upstream, destination) = (Upstream::named("flow-8"), Destination::named("flow-8"));
    upstream.set(|state| state.rows = 6);
    let mut source = counting("flow-8");
    source.extend([
        ("transforms", "route"),
        (
            "transforms.route.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.route.regex", "flow-(.*)"),
        ("transforms.route.replacement", "routed-$1"),
    ]);
    worker.create("src", &source).await;
    upstream.told(6).await;
    assert_eq!(worker.records("routed-8").await.len(), 6);
    assert_eq!(worker.herder.topics("src").await.unwrap(), ["routed-8"]);
    let mut sink = collecting("routed-8", "flow-8");
    sink.extend([
        ("transforms", "drop, back"),
        (
            "transforms.drop.type",
            "org.apache.kafka.connect.transforms.Filter",
        ),
        ("transforms.drop.predicate", "other"),
        ("transforms.drop.negate", "false"),
        (
            "transforms.back.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.back.regex", "routed-(.*)"),
        ("transforms.back.replacement", "back-$1"),
        ("predicates", "other"),
        (
            "predicates.other.type",
            "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        ),
        ("predicates.other.pattern", "other.*"),
    ]);
    worker.create("snk", &sink).await;
    until("rows arrive", async || {
        (destination.ids().len() == 6).then_some(())
    })
    .await;
    assert!(
        destination
            .get()
            .records
            .iter()
            .all(|(topic, _)| topic == "back-8")
    );
    worker.stop().await;
}
