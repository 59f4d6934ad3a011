//! Kills, restarts and cuts under load: nothing lost, order kept per key, nothing doubled with exactly-once.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::postgres_source,
    counters::{Counting, assert_at_least_once, assert_exactly_once, history},
    rounds,
};
use stack::{PgVersion, Stack, wait_until};

const TOPIC: &str = "chaos.public.counters";

/// Kills the worker at different moments while counters count, then reads the whole topic.
fn killed_worker(
    stack: &Stack,
    options: WorkerOptions,
    kills: u32,
) -> Outcome<Vec<(String, String)>> {
    let postgres = stack.postgres(PgVersion::V15)?;
    Counting::table(&postgres)?;
    let worker = Worker::start(stack, options)?;
    worker.rest().create(
        "chaos",
        &postgres_source(&postgres, "chaos", "public.counters"),
    )?;
    worker.rest().wait_for("chaos", "RUNNING")?;
    // A snapshot that is killed is read again, newer than the changes that follow it: a case of its own.
    worker.rest().wait_for_stream("chaos")?;
    let counting = Counting::start(&postgres);
    for kill in 0..kills {
        let goal = counting.rounds() + 1 + u64::from(kill % 5) * 2;
        let reached = || Ok(counting.rounds() >= goal);
        wait_until("the writer to go on", Duration::from_secs(60), reached)?;
        worker.server().kill9()?;
        worker.server().start()?;
    }
    counting.finish("chaos_slot")?;
    worker.stop_and_read(TOPIC)
}

#[test]
fn exactly_once_on_the_embedded_log_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let records = killed_worker(&stack, options, rounds(4, 50))?;
    assert_exactly_once(&history(&records)?)
}

#[test]
fn at_least_once_on_the_embedded_log_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let options = WorkerOptions::on(LogKind::Embedded);
    let records = killed_worker(&stack, options, rounds(3, 50))?;
    assert_at_least_once(&history(&records)?)
}

#[test]
fn exactly_once_on_kafka_survives_kill_9() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    let options = WorkerOptions::on(LogKind::Kafka(kafka.bootstrap().to_owned())).exactly_once();
    let records = killed_worker(&stack, options, rounds(3, 50))?;
    assert_exactly_once(&history(&records)?)
}
