//! What goes wrong in one task stays there, and its status tells the truth.

mod connectors;

use connect_runtime::{HealthStatus, State};
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{Worker, collecting, counting, until},
};

#[tokio::test]
async fn a_server_that_is_away_is_waited_for_and_the_status_says_so() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("faults-1");
    upstream.set(|state| (state.away, state.rows) = (3, 5));
    let mut config = counting("faults-1");
    config.push(("task.restart.delay.ms", "40"));
    worker.create("src", &config).await;
    let status = until("the status tells the error", async || {
        let status = worker.herder.status("src").await.ok()?;
        status.tasks.first()?.trace.is_some().then_some(status)
    })
    .await;
    let task = &status.tasks[0];
    assert_eq!(task.state, State::Restarting, "it is not RUNNING");
    let trace = task.trace.as_deref().unwrap();
    assert!(trace.contains("test.away: the upstream is away"), "{trace}");
    assert!(trace.contains("Remedy: Wait."), "{trace}");
    let status = worker.task_is("src", State::Running).await;
    assert_eq!(status.tasks[0].trace, None);
    upstream.told(5).await;
    worker.stop().await;
}

#[tokio::test]
async fn the_cap_on_tries_ends_them() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("faults-2");
    upstream.set(|state| state.away = u32::MAX);
    let mut config = counting("faults-2");
    config.extend([
        ("task.restart.delay.ms", "1"),
        ("task.restart.max.attempts", "3"),
    ]);
    worker.create("src", &config).await;
    let status = worker.task_is("src", State::Failed).await;
    assert_eq!(
        status.connector.state,
        State::Running,
        "Kafka Connect's picture of a failed task"
    );
    assert_eq!(u32::MAX - upstream.get().away, 3);
    upstream.set(|state| state.away = 0);
    worker.herder.restart("src", true, true).await.unwrap();
    worker.task_is("src", State::Running).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_panic_ends_its_own_task_only() {
    let worker = Worker::start(&[]).await;
    let (bad, good) = (Upstream::named("faults-3a"), Upstream::named("faults-3b"));
    bad.set(|state| (state.rows, state.panic_at) = (20, Some(15)));
    good.set(|state| state.rows = 20);
    worker.create("bad", &counting("faults-3a")).await;
    worker.create("good", &counting("faults-3b")).await;
    let status = worker.task_is("bad", State::Failed).await;
    let trace = status.tasks[0].trace.clone().unwrap();
    assert!(
        trace.contains("runtime.panic: The task panicked"),
        "{trace}"
    );
    until("the other goes on", async || {
        (good.get().pruned == 20).then_some(())
    })
    .await;
    bad.set(|state| state.panic_at = None);
    worker.herder.restart_task("bad", 0).await.unwrap();
    until("it goes on without a gap", async || {
        (bad.get().pruned == 20).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_hangs_is_dropped_after_the_deadline() {
    let worker = Worker::start(&[("task.shutdown.graceful.timeout.ms", "50")]).await;
    let upstream = Upstream::named("faults-4");
    let destination = Destination::named("faults-4");
    upstream.set(|state| state.rows = 3);
    destination.set(|state| state.hangs = true);
    worker.create("src", &counting("faults-4")).await;
    worker
        .create("snk", &collecting("faults-4", "faults-4"))
        .await;
    worker.task_is("snk", State::Running).await;
    worker.herder.delete("snk").await.unwrap();
    destination.set(|state| state.hangs = false);
    worker
        .create("snk", &collecting("faults-4", "faults-4"))
        .await;
    until("a new one gets the rows", async || {
        (destination.ids() == [1, 2, 3]).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn tasks_that_block_their_threads_harm_neither_requests_nor_others() {
    let worker = Worker::start(&[("task.shutdown.graceful.timeout.ms", "50")]).await;
    for name in ["faults-5a", "faults-5b", "faults-5c"] {
        Upstream::named(name).set(|state| state.blocks = true);
        worker.create(name, &counting(name)).await;
        worker.task_is(name, State::Running).await;
    }
    let good = Upstream::named("faults-5d");
    good.set(|state| state.rows = 10);
    worker.create("good", &counting("faults-5d")).await;
    until("the other works", async || {
        (good.get().pruned == 10).then_some(())
    })
    .await;
    assert_eq!(worker.herder.health().await.status, HealthStatus::Healthy);
    worker.herder.delete("faults-5a").await.unwrap();
    worker
        .running
        .stop(std::time::Duration::from_millis(50))
        .await;
}

#[tokio::test]
async fn a_sink_whose_server_is_away_loses_nothing() {
    let worker = Worker::start(&[]).await;
    let (upstream, destination) = (Upstream::named("faults-6"), Destination::named("faults-6"));
    upstream.set(|state| state.rows = 40);
    destination.set(|state| state.away = 3);
    worker.create("src", &counting("faults-6")).await;
    let mut sink = collecting("faults-6", "faults-6");
    sink.push(("task.restart.delay.ms", "5"));
    worker.create("snk", &sink).await;
    until("all rows arrive", async || {
        (destination.ids().len() >= 40).then_some(())
    })
    .await;
    let mut ids = destination.ids();
    ids.dedup();
    assert_eq!(ids, (1..=40).collect::<Vec<u64>>(), "in order");
    worker.stop().await;
}

#[tokio::test]
async fn a_connector_that_panics_while_it_makes_tasks_fails_alone() {
    let worker = Worker::start(&[]).await;
    let mut bad = counting("faults-7");
    bad.push(("batch.size", "0"));
    worker.create("bad", &bad).await;
    let trace = until("the connector fails", async || {
        let status = worker.herder.status("bad").await.ok()?;
        (status.connector.state == State::Failed).then_some(status.connector.trace?)
    });
    assert!(trace.await.contains("runtime.panic"));
    worker.create("good", &counting("faults-7")).await;
    worker.task_is("good", State::Running).await;
    worker.stop().await;
}
