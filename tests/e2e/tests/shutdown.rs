//! The worker ended in order under load: it finishes what is in hand within its deadline, and nothing is doubled.

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{postgres_source, redis_sink},
    counters::assert_exactly_once,
    rounds,
    scene::SOURCE,
};
use stack::{PgVersion, Stack};

/// Without exactly-once, too, an end in order doubles nothing: records and positions are stored before the process ends.
fn ended(options: WorkerOptions) -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let redis = stack.redis()?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let scene = Scene::counting(&stack, postgres, options, &config)?;
    let (rest, server) = (scene.worker.rest(), scene.worker.server());
    rest.create("sink", &redis_sink(&redis, "faults\\..*"))?;
    rest.wait_for("sink", "RUNNING")?;
    for round in 0..rounds(3, 20) {
        scene.load.wait_for(1 + u64::from(round % 3))?;
        server.stop()?;
        let log = server.log_tail();
        if !log.contains("stopped") || log.contains("was dropped") {
            return Err(format!("it did not end in order: {log}").into());
        }
        server.start()?;
        for name in [SOURCE, "sink"] {
            rest.wait_for(name, "RUNNING")?;
        }
    }
    assert_exactly_once(&scene.finish()?)
}

#[test]
fn sigterm_doubles_nothing_exactly_once() -> Outcome {
    ended(WorkerOptions::on(LogKind::Embedded).exactly_once())
}

#[test]
fn sigterm_doubles_nothing_at_least_once() -> Outcome {
    ended(WorkerOptions::on(LogKind::Embedded))
}
