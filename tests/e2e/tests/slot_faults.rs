//! A slot or publication that somebody drops by hand: the connector fails, says what to do, and never goes on past the
//! changes that are lost as if nothing had happened.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Scene, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters,
    scene::{PUBLICATION, SLOT, SOURCE, TOPIC},
};
use stack::{PgVersion, Postgres, PostgresOptions, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(30);
const VERSIONS: [PgVersion; 2] = [PgVersion::V15, PgVersion::V18];

/// A source that streams while counters count.
fn scene(stack: &Stack, version: PgVersion) -> Outcome<Scene> {
    scene_with(stack, version, &[])
}

fn scene_with(stack: &Stack, version: PgVersion, more: &[(&str, &str)]) -> Outcome<Scene> {
    let options = PostgresOptions::new(version).set("max_slot_wal_keep_size", "1MB");
    let postgres = stack.postgres_with(options)?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(with(config, IMPATIENT), more);
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(stack, postgres, options, &config)?;
    scene.load.wait_for(2)?;
    Ok(scene)
}

/// Drops the slot, whoever reads it.
fn drop_slot(postgres: &Postgres) -> Outcome {
    let sql = format!(
        "select pg_terminate_backend(active_pid) from pg_replication_slots
           where slot_name = '{SLOT}' and active_pid is not null;
         select pg_drop_replication_slot('{SLOT}');"
    );
    // The source comes back at once and may be faster.
    wait_until("the slot to be dropped", LIMIT, || {
        Ok(postgres.psql(&sql).is_ok())
    })?;
    Ok(())
}

fn slots(postgres: &Postgres) -> Outcome<String> {
    Ok(postgres.psql("select slot_name from pg_replication_slots")?)
}

/// The remedy that the errors name: forget the offsets, so that the tables are read again.
fn start_over(worker: &Worker) -> Outcome {
    let rest = worker.rest();
    rest.must("PUT", &format!("/connectors/{SOURCE}/stop"))?;
    rest.must("DELETE", &format!("/connectors/{SOURCE}/offsets"))?;
    rest.must("PUT", &format!("/connectors/{SOURCE}/resume"))?;
    rest.wait_for(SOURCE, "RUNNING")?;
    rest.wait_for_stream(SOURCE)
}

/// After the remedy the topic ends as the table does; before it nothing was skipped.
fn ends_well(scene: Scene) -> Outcome {
    start_over(&scene.worker)?;
    closes_the_gap(scene)
}

/// The topic ends as the table does, and goes on past what is lost only by reading the table again.
fn closes_the_gap(mut scene: Scene) -> Outcome {
    scene.load.wait_for(2)?;
    scene.load.finish(SLOT)?;
    let history = counters::history(&scene.worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &scene.postgres)?;
    counters::assert_reads_close_gaps(&scene.worker.read(TOPIC)?)
}

/// The connector stays failed when it is asked again, and makes no slot.
fn stays_failed(scene: &Scene, says: &str) -> Outcome {
    let rest = scene.worker.rest();
    rest.wait_for_failure(SOURCE, says)?;
    let restart = format!("/connectors/{SOURCE}/restart?includeTasks=true");
    rest.must("POST", &restart)?;
    rest.wait_for_failure(SOURCE, says)
}

fn slot_dropped_while_running(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    drop_slot(&scene.postgres)?;
    stays_failed(&scene, "postgres.slot_missing")?;
    assert_eq!(slots(&scene.postgres)?, "", "no slot was made in its place");
    ends_well(scene)
}

fn slot_dropped_while_stopped(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    scene.worker.server().stop()?;
    drop_slot(&scene.postgres)?;
    scene.load.wait_for(2)?;
    scene.worker.server().start()?;
    stays_failed(&scene, "postgres.slot_missing")?;
    assert_eq!(slots(&scene.postgres)?, "", "no slot was made in its place");
    ends_well(scene)
}

/// Who asks for it with `snapshot.mode=when_needed` gets a new slot and a new snapshot without a hand.
fn slot_made_again_when_wanted(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene_with(&stack, version, &[("snapshot.mode", "when_needed")])?;
    scene.worker.server().stop()?;
    drop_slot(&scene.postgres)?;
    scene.load.wait_for(2)?;
    scene.worker.server().start()?;
    scene.worker.rest().wait_for(SOURCE, "RUNNING")?;
    wait_until("a new slot", LIMIT, || {
        Ok(slots(&scene.postgres).is_ok_and(|slots| slots.contains(SLOT)))
    })?;
    closes_the_gap(scene)
}

/// Another slot of the same name begins later than we had come.
fn slot_replaced_while_stopped(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    scene.worker.server().stop()?;
    drop_slot(&scene.postgres)?;
    scene.load.wait_for(1)?;
    scene.postgres.psql(&format!(
        "select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')"
    ))?;
    scene.worker.server().start()?;
    stays_failed(&scene, "postgres.slot_ahead")?;
    drop_slot(&scene.postgres)?;
    ends_well(scene)
}

/// The server removes the log that the slot needs, since the worker was away for too long.
fn slot_lost_while_stopped(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    scene.worker.server().stop()?;
    let status = format!("select wal_status from pg_replication_slots where slot_name = '{SLOT}'");
    wait_until("the slot to be lost", LIMIT, || {
        let postgres = &scene.postgres;
        postgres.psql("select pg_switch_wal(); select txid_current(); checkpoint;")?;
        Ok(postgres.psql(&status)?.trim() == "lost")
    })?;
    scene.worker.server().start()?;
    stays_failed(&scene, "postgres.slot_lost")?;
    drop_slot(&scene.postgres)?;
    ends_well(scene)
}

fn drop_publication(scene: &Scene) -> Outcome {
    scene
        .postgres
        .psql(&format!("drop publication {PUBLICATION}"))?;
    // Changes that can never be decoded.
    scene.load.wait_for(2)
}

fn publication_dropped_while_running(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    drop_publication(&scene)?;
    stays_failed(&scene, "postgres.publication_gap")?;
    drop_slot(&scene.postgres)?;
    ends_well(scene)
}

fn publication_dropped_while_stopped(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, version)?;
    scene.worker.server().stop()?;
    drop_publication(&scene)?;
    scene.worker.server().start()?;
    stays_failed(&scene, "postgres.publication_gap")?;
    drop_slot(&scene.postgres)?;
    ends_well(scene)
}

fn on_every_version(test: fn(PgVersion) -> Outcome) -> Outcome {
    VERSIONS
        .into_iter()
        .try_for_each(|version| test(version).map_err(|e| format!("{version}: {e}").into()))
}

#[test]
fn a_slot_dropped_while_running_is_told() -> Outcome {
    on_every_version(slot_dropped_while_running)
}

#[test]
fn a_slot_dropped_while_stopped_is_told() -> Outcome {
    on_every_version(slot_dropped_while_stopped)
}

#[test]
fn a_slot_dropped_while_stopped_is_made_again_when_wanted() -> Outcome {
    on_every_version(slot_made_again_when_wanted)
}

#[test]
fn a_slot_replaced_while_stopped_is_told() -> Outcome {
    on_every_version(slot_replaced_while_stopped)
}

#[test]
fn a_slot_lost_while_stopped_is_told() -> Outcome {
    on_every_version(slot_lost_while_stopped)
}

#[test]
fn a_publication_dropped_while_running_is_told() -> Outcome {
    on_every_version(publication_dropped_while_running)
}

#[test]
fn a_publication_dropped_while_stopped_is_told() -> Outcome {
    on_every_version(publication_dropped_while_stopped)
}
