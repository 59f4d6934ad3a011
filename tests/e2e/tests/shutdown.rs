//! The worker ended in order under load: it finishes what is in hand within its deadline, and nothing is doubled.

use std::{fs, io::Write, net::TcpStream, thread, time::Duration};

use e2e::{
    LogKind, Outcome, Scene, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, postgres_source_at, redis_sink, redis_sink_at, with},
    counters::{assert_exactly_once, wait_equal_in_redis},
    rounds,
    scene::{SLOT, SOURCE},
};
use stack::{KafkaOptions, PgVersion, Proxy, Stack, wait_until};

/// The last words of a worker.
const STOPPED: &str = "tidewater::worker: stopped";
const SINK: &str = "sink";

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
        end(&scene.worker)?;
        let log = server.log_tail();
        assert!(
            !log.contains("was dropped"),
            "a task did not end in order: {log}"
        );
        server.start()?;
        for name in [SOURCE, "sink"] {
            rest.wait_for(name, "RUNNING")?;
        }
    }
    assert_exactly_once(&scene.finish()?)
}

/// SIGTERM ends the worker; one that must be killed has not said so.
fn end(worker: &Worker) -> Outcome {
    let log = || fs::read_to_string(worker.server().log_path());
    let before = log()?.matches(STOPPED).count();
    worker.server().stop()?;
    match log()?.matches(STOPPED).count() > before {
        true => Ok(()),
        false => Err(format!("it did not end by itself: {}", worker.server().log_tail()).into()),
    }
}

#[test]
fn sigterm_doubles_nothing_exactly_once() -> Outcome {
    ended(WorkerOptions::on(LogKind::Embedded).exactly_once())
}

#[test]
fn sigterm_doubles_nothing_at_least_once() -> Outcome {
    ended(WorkerOptions::on(LogKind::Embedded))
}

/// With its database silent, its destination silent, and a client that never ends its request, the worker ends all the
/// same, and goes on where it was.
#[test]
fn sigterm_ends_a_worker_whose_servers_are_silent() -> Outcome {
    let stack = Stack::new()?;
    let (postgres, redis) = (stack.postgres(PgVersion::V15)?, stack.redis()?);
    let proxy = |port: u16| Proxy::to(&format!("127.0.0.1:{port}"));
    let (before_postgres, before_redis) = (proxy(postgres.port())?, proxy(redis.port())?);
    let config = postgres_source_at(before_postgres.port(), SOURCE, "public.counters");
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let mut scene = Scene::counting(&stack, postgres, options, &with(config, IMPATIENT))?;
    let url = redis
        .url()
        .replace(&redis.port().to_string(), &before_redis.port().to_string());
    let rest = scene.worker.rest().clone();
    rest.create(SINK, &with(redis_sink_at(&url, "faults\\..*"), IMPATIENT))?;
    rest.wait_for(SINK, "RUNNING")?;
    scene.load.wait_for(2)?;
    before_redis.stall();
    scene.load.wait_for(2)?;
    before_postgres.stall();
    let mut silent = TcpStream::connect(("127.0.0.1", rest.port()))?;
    silent.write_all(b"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{")?;
    end(&scene.worker)?;
    before_redis.heal();
    before_postgres.heal();
    scene.worker.server().start()?;
    for name in [SOURCE, SINK] {
        rest.wait_for(name, "RUNNING")?;
    }
    scene.load.finish(SLOT)?;
    wait_equal_in_redis(&scene.postgres, &redis)?;
    assert_exactly_once(&scene.finish()?)
}

/// With its broker gone, and a change under way that waits for it.
#[test]
fn sigterm_ends_a_worker_whose_broker_is_away() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka_with(KafkaOptions::default())?;
    let log = LogKind::Kafka(kafka.bootstrap().to_owned());
    let postgres = stack.postgres(PgVersion::V15)?;
    let config = with(
        postgres_source(&postgres, SOURCE, "public.counters"),
        IMPATIENT,
    );
    let options = WorkerOptions::on(log).exactly_once();
    let scene = Scene::counting(&stack, postgres, options, &config)?;
    let rest = scene.worker.rest().clone();
    scene.load.wait_for(2)?;
    kafka.kill9()?;
    rest.wait_for_trouble(SOURCE, "log.unavailable")?;
    let waiting = {
        let rest = rest.clone();
        thread::spawn(move || rest.ask("PUT", "/connectors/faults/pause", ""))
    };
    // The worker says when it is busy with a request: then the change is under way.
    wait_until("the change", Duration::from_secs(60), || {
        Ok(rest
            .ask("GET", "/health", "")
            .is_ok_and(|health| health.status == 500))
    })?;
    end(&scene.worker)?;
    let answer = waiting.join().map_err(|_| "the client panicked")?;
    let refused = answer.map_or(true, |answer| answer.status >= 500);
    assert!(refused, "a change that was not stored was acknowledged");
    kafka.start()?;
    scene.worker.server().start()?;
    rest.must("PUT", "/connectors/faults/resume")?;
    rest.wait_for(SOURCE, "RUNNING")?;
    assert_exactly_once(&scene.finish()?)
}
