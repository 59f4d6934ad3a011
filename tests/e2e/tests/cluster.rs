//! Three workers as one cluster: what one of them runs goes on elsewhere when it is gone, frozen or cut off, and nothing is lost,
//! doubled or reordered by it. Needs root, for a network of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{
    ALL, Fleet, FleetScene, Outcome, Plot, Rest,
    configs::file_source,
    counters::{self, assert_complete, assert_exactly_once, history},
    rounds,
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::{Value, json};
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);

/// Counters, and three workers of which one runs the source.
fn scene() -> Outcome<FleetScene> {
    FleetScene::start(PLOT)
}

const PLOT: Plot<'_> = Plot {
    source: SOURCE,
    tables: "public.counters",
    properties: &[],
    make: counters::table,
    load: counters::count,
};

/// The worker that runs the source, and one that does not.
fn owner_and_other(scene: &FleetScene, asked: usize) -> Outcome<(usize, usize)> {
    let owner = scene.fleet.owner(asked, SOURCE)?;
    Ok((owner, (owner + 1) % ALL.len()))
}

fn others(owner: usize) -> Vec<usize> {
    ALL.into_iter().filter(|at| *at != owner).collect()
}

/// Stops counting; the topic must tell each counter's every value once, up to what the table holds.
fn finish(mut scene: FleetScene) -> Outcome {
    scene.load.finish(SLOT)?;
    for fellow in &scene.fleet.members {
        fellow.worker.server().stop()?;
    }
    let records = scene.fleet.members[0].worker.read(TOPIC)?;
    let history = history(&records)?;
    assert_complete(&history, &scene.postgres)?;
    assert_exactly_once(&history)
}

/// What a dead worker ran goes on elsewhere, and comes back with it.
#[test]
fn a_killed_worker_loses_nothing() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(2, 15) {
        scene.load.wait_for(1)?;
        let (owner, other) = owner_and_other(&scene, round as usize % 3)?;
        let server = scene.fleet.members[owner].worker.server();
        server.kill9()?;
        scene.fleet.wait_for_rest(other, &others(owner))?;
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
    finish(scene)
}

/// A worker that is frozen for longer than its session is replaced; when it wakes up it writes nothing more of what it had.
#[test]
fn a_frozen_worker_is_replaced_and_keeps_still() -> Outcome {
    let scene = scene()?;
    for _ in 0..rounds(1, 8) {
        scene.load.wait_for(1)?;
        let (owner, other) = owner_and_other(&scene, 0)?;
        let server = scene.fleet.members[owner].worker.server();
        server.pause()?;
        scene.fleet.wait_for_rest(other, &others(owner))?;
        scene.load.wait_for(1)?;
        server.resume()?;
        scene.load.wait_for(1)?;
        scene.fleet.wait_for_rest(other, &ALL)?;
    }
    finish(scene)
}

/// The same for one that is cut off from everybody, and for one that only its broker does not hear.
#[test]
fn a_worker_that_is_cut_off_is_replaced_and_keeps_still() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(2, 8) {
        scene.load.wait_for(1)?;
        let (owner, other) = owner_and_other(&scene, 0)?;
        let host = &scene.fleet.members[owner].host;
        let broker = scene.fleet.address();
        match round % 2 {
            0 => host.cut()?,
            _ => host.block(broker)?,
        }
        scene.fleet.wait_for_rest(other, &others(owner))?;
        scene.load.wait_for(1)?;
        match round % 2 {
            0 => host.heal()?,
            _ => host.unblock(broker)?,
        }
        scene.fleet.wait_for_rest(other, &ALL)?;
        scene.load.wait_for(1)?;
    }
    finish(scene)
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
        let name = format!("file-{at}");
        rest.create(&name, &file_source("none", "none"))?;
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
    finish(scene)
}

/// Many connectors at once, through every worker, while the one that leads is killed: each of them runs once in the end.
#[test]
fn many_connectors_at_once_outlive_the_leader() -> Outcome {
    let stack = Stack::new()?;
    let fleet = Fleet::start(&stack, 3, |options| options)?;
    let count = rounds(90, 500);
    let create = &|at: usize| -> Outcome {
        for number in (0..count).filter(|number| number % 3 == at as u32) {
            let config = file_source("/nowhere", &format!("many-{number}"));
            let name = format!("many-{number}");
            // What a dying leader has done it has answered, or the next one does it.
            wait_until(&format!("{name} to be taken"), LIMIT, || {
                let body = json!({"name": name, "config": config}).to_string();
                let answer = fleet.rest(at).ask("POST", "/connectors", &body);
                Ok(answer.is_ok_and(|answer| matches!(answer.status, 201 | 409)))
            })?;
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Outcome {
        let creating: Vec<_> = ALL.map(|at| scope.spawn(move || create(at))).into();
        // The first worker leads, since it was there first.
        let listed = || fleet.rest(1).get("/connectors").ok();
        let is_begun =
            || Ok(listed().is_some_and(|all| all.as_array().is_some_and(|all| all.len() > 10)));
        wait_until("connectors", LIMIT, is_begun)?;
        fleet.members[0].worker.server().kill9()?;
        fleet.members[0].worker.server().start()?;
        for thread in creating {
            thread.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })?;
    let placed = fleet.wait_for_rest(2, &ALL)?;
    assert_eq!(placed.values().sum::<usize>(), count as usize, "{placed:?}");
    let (least, most) = (placed.values().min(), placed.values().max());
    assert!(
        most.zip(least)
            .is_some_and(|(most, least)| most - least <= 3),
        "{placed:?}"
    );
    Ok(())
}

/// Each worker in turn is stopped in order and started again, as an upgrade does it.
#[test]
fn a_rolling_restart_loses_and_doubles_nothing() -> Outcome {
    let scene = scene()?;
    for at in ALL.repeat(rounds(1, 4) as usize) {
        scene.load.wait_for(1)?;
        scene.fleet.members[at].worker.server().stop()?;
        scene.fleet.wait_for_rest((at + 1) % 3, &others(at))?;
        scene.load.wait_for(1)?;
        scene.fleet.members[at].worker.server().start()?;
        scene.fleet.wait_for_rest(at, &ALL)?;
    }
    finish(scene)
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
    finish(scene)
}

/// Wall clocks jump by hours, forwards and back, and differ from each other: nobody is taken for dead for that, and who is dead is
/// still replaced.
#[test]
fn clocks_that_jump_disturb_nothing() -> Outcome {
    // Within an hour ahead: brokers take no more.
    const MINUTES: i64 = 60;
    const JUMPS: [i64; 6] = [
        50 * MINUTES,
        -50 * MINUTES,
        5,
        -48 * 60 * MINUTES,
        0,
        20 * MINUTES,
    ];
    let scene = FleetScene::with_clocks(PLOT)?;
    for (round, jump) in (0..rounds(3, 12)).zip(JUMPS.into_iter().cycle()) {
        let (owner, other) = owner_and_other(&scene, 1)?;
        scene.clocks[owner].jump(jump)?;
        until_it_goes_by(scene.fleet.rest(owner), jump)?;
        scene.load.wait_for(2)?;
        scene.load.wait_confirmed(SLOT)?;
        if scene.fleet.owner(other, SOURCE)? != owner {
            return Err(format!("the task has moved when its clock jumped by {jump} s").into());
        }
        if round % 3 == 2 {
            let server = scene.fleet.members[owner].worker.server();
            server.kill9()?;
            scene.fleet.wait_for_rest(other, &others(owner))?;
            scene.load.wait_for(1)?;
            server.start()?;
            scene.fleet.wait_for_rest(other, &ALL)?;
        }
    }
    finish(scene)
}

/// Waits until a worker goes by its clock: the time at which it changes the level of a logger is the clock's.
fn until_it_goes_by(rest: &Rest, jump: i64) -> Outcome {
    let path = "/admin/loggers/clocks";
    let mut levels = ["INFO", "WARN"].into_iter().cycle();
    wait_until("a worker to go by its clock", LIMIT, || {
        // Only another level is a change.
        let level = json!({"level": levels.next()}).to_string();
        let put = rest.ask("PUT", path, &level);
        let Ok(logger) = put.and_then(|_| rest.get(path)) else {
            return Ok(false);
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or_default() + jump;
        let told = logger["last_modified"].as_i64().unwrap_or_default() / 1000;
        Ok((told - now).abs() < 60)
    })?;
    Ok(())
}
