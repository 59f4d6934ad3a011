//! Kafka restarted, killed, cut off and silent under load: nothing lost or doubled, the status tells it, the REST API
//! answers, and everything goes on by itself.

use std::time::Duration;

use e2e::{
    Fault, LogKind, Outcome, Rest, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, redis_sink, with},
    counters::{History, assert_at_least_once, assert_exactly_once, wait_equal_in_redis},
    is_long,
    scene::{SLOT, SOURCE},
};
use stack::{Kafka, KafkaOptions, PgVersion, PostgresOptions, Stack, wait_until};

const SINK: &str = "sink";
/// What the trace says while no broker answers.
const AWAY: &str = "log.unavailable";

fn survived(exactly_once: bool) -> Outcome<History> {
    let stack = Stack::new()?;
    let kafka = KafkaOptions::default().proxied();
    let often = "transaction.abort.timed.out.transaction.cleanup.interval.ms";
    let kafka = stack.kafka_with(kafka.set(often, "1000"))?;
    let proxy = kafka.proxy().ok_or("no proxy")?;
    let mut options = WorkerOptions::on(LogKind::Kafka(proxy.address()))
        .set("reconnect.backoff.max.ms", "500")
        .set("producer.transaction.timeout.ms", "5000")
        .set("socket.timeout.ms", "3000")
        .set("socket.connection.setup.timeout.ms", "3000");
    if exactly_once {
        options = options.exactly_once();
    }
    let postgres = PostgresOptions::new(PgVersion::V15).set("wal_sender_timeout", "8s");
    let postgres = stack.postgres_with(postgres)?;
    let config = with(
        postgres_source(&postgres, SOURCE, "public.counters"),
        IMPATIENT,
    );
    let mut scene = Scene::counting(&stack, postgres, options, &config)?;
    let redis = stack.redis()?;
    let rest = scene.worker.rest();
    rest.create(SINK, &with(redis_sink(&redis, "faults\\..*"), IMPATIENT))?;
    rest.wait_for(SINK, "RUNNING")?;
    suspended(&scene)?;
    every_fault(&scene, &kafka)?;
    scene.worker.rest().wait_for(SINK, "RUNNING")?;
    scene.load.finish(SLOT)?;
    wait_equal_in_redis(&scene.postgres, &redis)?;
    scene.finish()
}

/// A worker that stands still, as with its machine, until all others have given it up: the database has ended the
/// replication, Kafka has ended the transaction.
fn suspended(scene: &Scene) -> Outcome {
    scene.load.wait_for(2)?;
    scene.worker.server().pause()?;
    let active = format!("select active from pg_replication_slots where slot_name = '{SLOT}'");
    wait_until("the replication to end", Duration::from_secs(60), || {
        Ok(scene.postgres.psql(&active)?.trim() == "f")
    })?;
    scene.worker.server().resume()?;
    scene.load.wait_confirmed(SLOT)?;
    scene.worker.rest().wait_for(SOURCE, "RUNNING")
}

/// The sink tells the trouble, too, and the worker answers what it can answer without the broker.
fn tells(rest: &Rest) -> Outcome {
    rest.wait_for_trouble(SINK, AWAY)?;
    [
        "/",
        "/connectors",
        "/connectors/faults/config",
        "/metrics",
        "/connector-plugins",
    ]
    .iter()
    .try_for_each(|path| rest.must("GET", path))
}

fn every_fault(scene: &Scene, kafka: &Kafka) -> Outcome {
    let proxy = kafka.proxy().ok_or("no proxy")?;
    let killed = Fault {
        name: "killed",
        says: AWAY,
        strike: &|| Ok(kafka.kill9()?),
        mend: &|| {
            tells(scene.worker.rest())?;
            Ok(kafka.start()?)
        },
    };
    let cut = Fault {
        name: "cut off",
        says: AWAY,
        strike: &|| {
            proxy.cut();
            Ok(())
        },
        mend: &|| {
            tells(scene.worker.rest())?;
            proxy.heal();
            Ok(())
        },
    };
    let silent = Fault {
        name: "silent",
        strike: &|| {
            proxy.stall();
            Ok(())
        },
        ..cut
    };
    let restarted = Fault {
        name: "restarted in order",
        strike: &|| Ok(kafka.stop()?),
        ..killed
    };
    // Until records have timed out, and the task is made anew.
    let away = Fault {
        name: "away for long",
        says: "the next one follows in",
        ..killed
    };
    let all = [killed, cut, silent, restarted, away];
    let some = if is_long() { &all[..] } else { &all[..3] };
    some.iter()
        .try_for_each(|fault| scene.survive(SOURCE, fault))
}

#[test]
fn kafkas_faults_lose_and_double_nothing_exactly_once() -> Outcome {
    assert_exactly_once(&survived(true)?)
}

#[test]
fn kafkas_faults_lose_nothing_at_least_once() -> Outcome {
    assert_at_least_once(&survived(false)?)
}
