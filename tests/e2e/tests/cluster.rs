//! Three workers as one cluster: what one of them runs goes on elsewhere when it is gone, frozen or cut off, and nothing is lost,
//! doubled or reordered by it. Needs root, for a network of its own.

use std::time::Duration;

use e2e::{
    Fleet, Load, Outcome, WorkerOptions,
    configs::{postgres_source_at, redis_sink_at, with},
    counters::{self, assert_complete, assert_exactly_once, history},
    rounds,
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::{Value, json};
use stack::{PgVersion, Postgres, Proxy, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
const ALL: [usize; 3] = [0, 1, 2];

/// A database under load, three workers, and a source that one of them runs, exactly once.
struct Scene {
    fleet: Fleet,
    postgres: Postgres,
    load: Load,
    _way: Proxy,
    _stack: Stack,
}

fn scene() -> Outcome<Scene> {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    counters::table(&postgres)?;
    let fleet = Fleet::start(&stack, 3, WorkerOptions::exactly_once)?;
    let way = fleet.way_to(&postgres)?;
    let host = fleet.address().to_string();
    let config = postgres_source_at(way.port(), SOURCE, "public.counters");
    fleet
        .rest(0)
        .create(SOURCE, &with(config, &[("database.hostname", &host)]))?;
    fleet.wait_for_rest(1, &ALL)?;
    fleet.rest(2).wait_for_stream(SOURCE)?;
    let load = counters::count(&postgres);
    Ok(Scene {
        fleet,
        postgres,
        load,
        _way: way,
        _stack: stack,
    })
}

impl Scene {
    /// The worker that runs the source, and one that does not.
    fn owner_and_other(&self, asked: usize) -> Outcome<(usize, usize)> {
        let owner = self.fleet.owner(asked, SOURCE)?;
        Ok((owner, (owner + 1) % 3))
    }

    fn others(owner: usize) -> Vec<usize> {
        ALL.into_iter().filter(|at| *at != owner).collect()
    }

    /// Stops counting; the topic must tell each counter's every value once, up to what the table holds.
    fn finish(mut self) -> Outcome {
        self.load.finish(SLOT)?;
        for fellow in &self.fleet.members {
            fellow.worker.server().stop()?;
        }
        let records = self.fleet.members[0].worker.read(TOPIC)?;
        let history = history(&records)?;
        assert_complete(&history, &self.postgres)?;
        assert_exactly_once(&history)
    }
}

/// What a dead worker ran goes on elsewhere, and comes back with it.
#[test]
fn a_killed_worker_loses_nothing() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(2, 15) {
        scene.load.wait_for(1)?;
        let (owner, other) = scene.owner_and_other(round as usize % 3)?;
        let server = scene.fleet.members[owner].worker.server();
        server.kill9()?;
        scene.fleet.wait_for_rest(other, &Scene::others(owner))?;
        scene.load.wait_for(1)?;
        scene.load.wait_confirmed(SLOT)?;
        server.start()?;
        let back = || {
            Ok(scene
                .fleet
                .owner(other, SOURCE)
                .is_ok_and(|now| now == owner))
        };
        wait_until("the source to come back", LIMIT, back)?;
        scene.fleet.wait_for_rest(other, &ALL)?;
    }
    scene.finish()
}

/// A worker that is frozen for longer than its session is replaced; when it wakes up it writes nothing more of what it had.
#[test]
fn a_frozen_worker_is_replaced_and_keeps_still() -> Outcome {
    let scene = scene()?;
    for _ in 0..rounds(1, 8) {
        scene.load.wait_for(1)?;
        let (owner, other) = scene.owner_and_other(0)?;
        let server = scene.fleet.members[owner].worker.server();
        server.pause()?;
        scene.fleet.wait_for_rest(other, &Scene::others(owner))?;
        scene.load.wait_for(1)?;
        server.resume()?;
        scene.load.wait_for(1)?;
        scene.fleet.wait_for_rest(other, &ALL)?;
    }
    scene.finish()
}

/// The same for one that is cut off from everybody, and for one that only its broker does not hear.
#[test]
fn a_worker_that_is_cut_off_is_replaced_and_keeps_still() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(2, 8) {
        scene.load.wait_for(1)?;
        let (owner, other) = scene.owner_and_other(0)?;
        let host = &scene.fleet.members[owner].host;
        let broker = scene.fleet.address();
        match round % 2 {
            0 => host.cut()?,
            _ => host.block(broker)?,
        }
        scene.fleet.wait_for_rest(other, &Scene::others(owner))?;
        scene.load.wait_for(1)?;
        match round % 2 {
            0 => host.heal()?,
            _ => host.unblock(broker)?,
        }
        scene.fleet.wait_for_rest(other, &ALL)?;
        scene.load.wait_for(1)?;
    }
    scene.finish()
}

/// Workers that cannot reach each other are one cluster all the same: requests go through the log.
#[test]
fn workers_that_cannot_reach_each_other_still_answer_for_each_other() -> Outcome {
    let scene = scene()?;
    let fleet = &scene.fleet;
    for fellow in &fleet.members {
        for other in &fleet.members {
            if other.host.address() != fellow.host.address() {
                fellow.host.block(other.host.address())?;
            }
        }
    }
    for at in ALL {
        let rest = fleet.rest(at);
        let name = format!("sink-{at}");
        rest.create(&name, &redis_sink_at("redis://127.0.0.1:1", "none-.*"))?;
        let taken = rest.ask(
            "POST",
            "/connectors",
            &json!({"name": name, "config": {}}).to_string(),
        )?;
        assert_eq!(taken.status, 400, "{}", taken.body);
        let listed = rest.get("/connectors")?;
        assert!(
            listed
                .as_array()
                .is_some_and(|all| all.contains(&Value::from(name.as_str())))
        );
        rest.must("PUT", &format!("/connectors/{name}/pause"))?;
        rest.must("PUT", &format!("/connectors/{name}/stop"))?;
        rest.must("DELETE", &format!("/connectors/{name}"))?;
        assert_eq!(
            rest.ask("GET", &format!("/connectors/{name}"), "")?.status,
            404
        );
        rest.must("POST", &format!("/connectors/{SOURCE}/tasks/0/restart"))?;
        rest.wait_for(SOURCE, "RUNNING")?;
    }
    scene.finish()
}

/// Each worker in turn is stopped in order and started again, as an upgrade does it.
#[test]
fn a_rolling_restart_loses_and_doubles_nothing() -> Outcome {
    let scene = scene()?;
    for at in ALL.repeat(rounds(1, 4) as usize) {
        scene.load.wait_for(1)?;
        scene.fleet.members[at].worker.server().stop()?;
        scene
            .fleet
            .wait_for_rest((at + 1) % 3, &Scene::others(at))?;
        scene.load.wait_for(1)?;
        scene.fleet.members[at].worker.server().start()?;
        scene.fleet.wait_for_rest(at, &ALL)?;
    }
    scene.finish()
}

/// The broker itself goes and comes back, with all workers' groups, transactions and topics.
#[test]
fn a_broker_that_restarts_is_waited_for() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(1, 6) {
        scene.load.wait_for(1)?;
        match round % 2 {
            0 => scene.fleet.kafka.kill9()?,
            _ => scene.fleet.kafka.stop()?,
        }
        scene.fleet.kafka.start()?;
        scene.fleet.wait_for_rest(0, &ALL)?;
        scene.load.wait_for(1)?;
        scene.load.wait_confirmed(SLOT)?;
    }
    scene.finish()
}
