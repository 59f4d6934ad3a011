//! Kills, restarts and cuts under load: nothing lost, order kept per key, nothing doubled with exactly-once.

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::postgres_source,
    counters::{History, assert_at_least_once, assert_exactly_once},
    rounds,
    scene::SOURCE,
};
use stack::{PgVersion, Stack};

/// Kills the worker at different moments while counters count, the first times while the table is read, then reads the
/// whole topic.
fn killed_worker(stack: &Stack, options: WorkerOptions, kills: u32) -> Outcome<History> {
    let postgres = stack.postgres(PgVersion::V15)?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let scene = Scene::reading(stack, postgres, options, &config)?;
    scene.kill_worker(kills)?;
    scene.finish()
}

#[test]
fn exactly_once_on_the_embedded_log_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let history = killed_worker(&stack, options, rounds(4, 50))?;
    assert_exactly_once(&history)
}

#[test]
fn at_least_once_on_the_embedded_log_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let options = WorkerOptions::on(LogKind::Embedded);
    let history = killed_worker(&stack, options, rounds(3, 50))?;
    assert_at_least_once(&history)
}

#[test]
fn exactly_once_on_kafka_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    let options = WorkerOptions::on(LogKind::Kafka(kafka.bootstrap().to_owned())).exactly_once();
    let history = killed_worker(&stack, options, rounds(3, 50))?;
    assert_exactly_once(&history)
}
