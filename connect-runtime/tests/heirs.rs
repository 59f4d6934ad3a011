//! A restart or a new configuration is prepared while the task runs, and takes nothing from it before it has stopped.

mod connectors;

use connect_runtime::State;
use connectors::{
    counting::{Preparing, Upstream},
    worker::{Worker, counting, given, until},
};

/// A worker with a source that runs and has read five rows.
async fn running(name: &str, properties: &[(&str, &str)]) -> (Worker, std::sync::Arc<Upstream>) {
    let worker = Worker::start(properties).await;
    let upstream = Upstream::named(name);
    upstream.set(|state| state.rows = 5);
    worker.create("src", &counting(name)).await;
    upstream.told(5).await;
    worker.task_is("src", State::Running).await;
    (worker, upstream)
}

async fn opened(upstream: &Upstream, times: usize) {
    until(&format!("opened {times} times"), async || {
        (upstream.get().opens.len() == times && upstream.get().open == 1).then_some(())
    })
    .await;
}

/// Each row is in the topic once, in order.
async fn has_all(worker: &Worker, topic: &str, rows: u64) {
    let records = worker.records(topic).await;
    let ids = records.iter().map(|record| {
        let value = record.value.as_deref().unwrap_or_default();
        let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
        value["id"].as_u64().unwrap_or_default()
    });
    let mut ids: Vec<u64> = ids.collect();
    // Several partitions are read one after the other.
    ids.sort_unstable();
    assert_eq!(ids, (1..=rows).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_restart_and_a_new_configuration_are_prepared_while_the_task_runs() {
    for exactly_once in ["disabled", "enabled"] {
        let name = &format!("heirs-1-{exactly_once}");
        let once = ("exactly.once.source.support", exactly_once);
        let (worker, upstream) = running(name, &[once]).await;
        worker.herder.restart_task("src", 0).await.unwrap();
        opened(&upstream, 2).await;
        upstream.set(|state| state.rows = 10);
        upstream.told(10).await;
        let mut config = counting(name);
        config.push(("batch.size", "3"));
        let put = worker.herder.put_config("src", given(&config));
        put.await.unwrap();
        opened(&upstream, 3).await;
        upstream.set(|state| state.rows = 15);
        upstream.told(15).await;
        let state = upstream.get();
        assert_eq!((state.heirs, state.most_open), (2, 1));
        assert_eq!(
            state.opens,
            [0, 5, 10],
            "it goes on where the other stopped"
        );
        has_all(&worker, name, 15).await;
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_hangs_or_panics_while_it_is_prepared_hinders_no_restart() {
    for (name, preparing) in [
        ("heirs-2a", Preparing::Hangs),
        ("heirs-2b", Preparing::Panics),
    ] {
        let (worker, upstream) = running(name, &[]).await;
        upstream.set(|state| state.preparing = preparing);
        worker.herder.restart_task("src", 0).await.unwrap();
        opened(&upstream, 2).await;
        upstream.set(|state| state.rows = 10);
        upstream.told(10).await;
        let state = upstream.get();
        assert_eq!((state.prepares, state.heirs, state.waiting), (1, 0, 0));
        assert_eq!(state.most_open, 1);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_task_that_does_not_run_is_stopped_at_once() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("heirs-3");
    upstream.set(|state| state.away = u32::MAX);
    let mut config = counting("heirs-3");
    config.push(("task.restart.delay.ms", "3600000"));
    config.push(("task.restart.delay.max.ms", "3600000"));
    worker.create("src", &config).await;
    until("it waits", async || {
        let status = worker.herder.status("src").await.ok()?;
        status.tasks.first()?.trace.clone()
    })
    .await;
    upstream.set(|state| state.away = 0);
    worker.herder.restart_task("src", 0).await.unwrap();
    opened(&upstream, 1).await;
    assert_eq!(upstream.get().prepares, 0);
    worker.stop().await;
}

#[tokio::test]
async fn an_heir_that_is_not_wanted_any_more_ends() {
    for way in ["pause", "stop", "delete", "shutdown"] {
        let name = &format!("heirs-4-{way}");
        let (worker, upstream) = running(name, &[]).await;
        upstream.set(|state| state.preparing = Preparing::Hangs);
        worker.herder.restart_task("src", 0).await.unwrap();
        until("it is being prepared", async || {
            (upstream.get().prepares == 1).then_some(())
        })
        .await;
        let worker = match way {
            "shutdown" => {
                worker.stop().await;
                None
            }
            "pause" => worker
                .herder
                .pause("src")
                .await
                .map(|()| Some(worker))
                .unwrap(),
            "stop" => worker
                .herder
                .stop("src")
                .await
                .map(|()| Some(worker))
                .unwrap(),
            _ => worker
                .herder
                .delete("src")
                .await
                .map(|()| Some(worker))
                .unwrap(),
        };
        until("nothing is left", async || {
            let state = upstream.get();
            ((state.open, state.waiting) == (0, 0)).then_some(())
        })
        .await;
        assert_eq!(upstream.get().most_open, 1);
        if let Some(worker) = worker {
            worker.stop().await;
        }
    }
}

#[tokio::test]
async fn many_changes_in_a_row_end_with_one_task_that_has_lost_nothing() {
    let (worker, upstream) = running("heirs-5", &[]).await;
    let ways = [Preparing::Works, Preparing::Hangs, Preparing::Panics];
    let mut rows = 5;
    for round in 0..30_u32 {
        // Fixed and uneven: which comes when is all that varies.
        let dice = round.wrapping_mul(2_654_435_761).rotate_left(round % 32);
        rows += u64::from(dice % 4);
        upstream.set(|state| {
            state.preparing = ways[dice as usize / 7 % ways.len()];
            state.rows = rows;
        });
        let size = (dice % 9 + 1).to_string();
        match dice % 5 {
            0 | 1 => worker.herder.restart_task("src", 0).await.unwrap(),
            2 | 3 => {
                let mut config = counting("heirs-5");
                config.push(("batch.size", &size));
                let put = worker.herder.put_config("src", given(&config));
                drop(put.await.unwrap());
            }
            _ => {
                worker.herder.pause("src").await.unwrap();
                worker.herder.resume("src").await.unwrap();
            }
        }
    }
    upstream.set(|state| state.preparing = Preparing::Works);
    upstream.told(rows).await;
    until("one is left", async || {
        let state = upstream.get();
        ((state.open, state.waiting) == (1, 0)).then_some(())
    })
    .await;
    assert_eq!(upstream.get().most_open, 1, "a task never runs twice");
    has_all(&worker, "heirs-5", rows).await;
    worker.stop().await;
}
