//! Connectors that come, rest, restart and go under load, again and again: nothing is left behind by any of them, and the
//! worker's memory does not grow.

use std::{fs, time::Duration};

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{postgres_source, redis_sink},
    items::{self, wait_equal_in_redis},
    rounds,
    scene::{SLOT, SOURCE},
};
use stack::{PgVersion, Redis, Stack, wait_until};

const SINK: &str = "sink";
const PASSING: &str = "passing";
const TOPICS: &str = "faults\\.public\\..*";
/// How long a thread may take to end and a socket to close.
const LIMIT: Duration = Duration::from_secs(30);
/// What the allocator may keep over what it held after the first cycles. A leak of a connector's buffers is far more after a
/// long run.
const SLACK_MB: f64 = 24.0;

/// What a process holds that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    files: usize,
}

impl Held {
    fn now(scene: &Scene) -> Outcome<Self> {
        let pid = scene.worker.server().pid().ok_or("the worker is gone")?;
        let count = |what: &str| {
            Ok::<_, std::io::Error>(fs::read_dir(format!("/proc/{pid}/{what}"))?.count())
        };
        Ok(Self {
            threads: count("task")?,
            files: count("fd")?,
        })
    }

    fn exceeds(self, other: Self) -> bool {
        self.threads > other.threads || self.files > other.files
    }
}

/// A second sink comes, follows and goes; the source pauses and goes on; the first sink restarts.
fn cycle(scene: &Scene, redis: &Redis) -> Outcome {
    let rest = scene.worker.rest();
    rest.create(PASSING, &redis_sink(redis, TOPICS))?;
    rest.wait_for(PASSING, "RUNNING")?;
    rest.must("PUT", &format!("/connectors/{SOURCE}/pause"))?;
    rest.wait_for(SOURCE, "PAUSED")?;
    rest.must("PUT", &format!("/connectors/{SOURCE}/resume"))?;
    rest.wait_for(SOURCE, "RUNNING")?;
    rest.must("POST", &format!("/connectors/{SINK}/tasks/0/restart"))?;
    rest.wait_for(SINK, "RUNNING")?;
    scene.load.wait_for(2)?;
    scene.load.wait_confirmed(SLOT)?;
    rest.must("DELETE", &format!("/connectors/{PASSING}"))
}

/// Waits until the process holds no more than it did.
fn wait_at_most(scene: &Scene, before: Held) -> Outcome {
    let mut last = before;
    let waited = wait_until("threads and files to be given back", LIMIT, || {
        last = Held::now(scene).map_err(|error| stack::Error::new(error.to_string()))?;
        Ok(!last.exceeds(before))
    });
    waited.map_err(|error| format!("{error}: {before:?} became {last:?}").into())
}

#[test]
fn connectors_that_come_and_go_leave_nothing_behind() -> Outcome {
    let stack = Stack::new()?;
    let redis = stack.redis()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let config = postgres_source(&postgres, SOURCE, items::TABLE);
    let mut scene = Scene::churning(
        &stack,
        postgres,
        WorkerOptions::on(LogKind::Embedded),
        &config,
    )?;
    scene
        .worker
        .rest()
        .create(SINK, &redis_sink(&redis, TOPICS))?;
    scene.worker.rest().wait_for(SINK, "RUNNING")?;
    for _ in 0..2 {
        cycle(&scene, &redis)?;
    }
    let (held, memory) = (Held::now(&scene)?, scene.worker.server().rss_mb()?);
    for _ in 0..rounds(4, 400) {
        cycle(&scene, &redis)?;
    }
    wait_at_most(&scene, held)?;
    let after = scene.worker.server().rss_mb()?;
    assert!(
        after < memory + SLACK_MB,
        "memory grew from {memory} to {after} MB"
    );
    scene.load.finish(SLOT)?;
    wait_equal_in_redis(&scene.postgres, &redis)
}
