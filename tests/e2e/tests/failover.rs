//! Standbys: the source follows its slot to the one that is promoted, and reads from one that is not.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, postgres_source_at, with},
    counters,
    scene::{PUBLICATION, SLOT, SOURCE, TOPIC},
};
use stack::{PgVersion, Postgres, PostgresOptions, Proxy, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
/// The standby's own slot.
const STANDBY: &str = "standby";

fn pair(stack: &Stack, version: PgVersion) -> Outcome<(Postgres, Postgres)> {
    let own = |options: PostgresOptions| match version {
        // Nothing is sent to the source that the standby does not have: else a failover would take it back.
        PgVersion::V18 => options.set("synchronized_standby_slots", STANDBY),
        PgVersion::V15 => options,
    };
    let primary = stack.postgres_with(own(PostgresOptions::new(version)))?;
    let options = PostgresOptions::new(version).set("hot_standby_feedback", "on");
    let options = match version {
        PgVersion::V18 => options.set("sync_replication_slots", "on"),
        PgVersion::V15 => options,
    };
    let standby = primary.standby(stack, STANDBY, options)?;
    Ok((primary, standby))
}

fn address(postgres: &Postgres) -> String {
    format!("127.0.0.1:{}", postgres.port())
}

/// Waits until the standby has a copy of the slot that would outlive the primary.
fn slot_has_followed(standby: &Postgres) -> Outcome {
    let sql = format!(
        "select synced and not temporary and invalidation_reason is null
         from pg_replication_slots where slot_name = '{SLOT}'"
    );
    wait_until("the slot to follow to the standby", LIMIT, || {
        Ok(standby.psql(&sql)?.trim() == "t")
    })?;
    Ok(())
}

fn worker(stack: &Stack) -> Outcome<Worker> {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    Worker::start(stack, options)
}

#[test]
fn the_source_follows_to_the_promoted_standby() -> Outcome {
    let stack = Stack::new()?;
    let (primary, standby) = pair(&stack, PgVersion::V18)?;
    counters::table(&primary)?;
    let proxy = Proxy::to(&address(&primary))?;
    let config = postgres_source_at(proxy.port(), SOURCE, "public.counters");
    let config = with(with(config, IMPATIENT), &[("slot.failover", "true")]);
    let worker = worker(&stack)?;
    worker.rest().create(SOURCE, &config)?;
    worker.rest().wait_for_stream(SOURCE)?;

    let before = counters::count(&primary);
    before.wait_for(2)?;
    slot_has_followed(&standby)?;
    before.wait_for(3)?;
    primary.kill9()?;
    drop(before);
    standby.promote()?;
    proxy.lead_to(&address(&standby));

    let mut after = counters::count(&standby);
    after.wait_for(5)?;
    worker.rest().wait_for(SOURCE, "RUNNING")?;
    after.finish(SLOT)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &standby)?;
    counters::assert_exactly_once(&history)
}

/// The primary has to tell the standby which transactions run, or no slot can be made there.
fn tell_what_runs(primary: &Postgres, worker: &Worker) -> Outcome {
    wait_until("the source to stream from the standby", LIMIT, || {
        primary.psql("select pg_log_standby_snapshot()")?;
        let offsets = worker.rest().get(&format!("/connectors/{SOURCE}/offsets"));
        let offsets = offsets.unwrap_or_default();
        let offset = &offsets["offsets"][0]["offset"];
        Ok(offset["lsn"].is_number() && offset["snapshot"].is_null())
    })?;
    Ok(())
}

#[test]
fn a_standby_is_read_while_the_primary_is_written_to() -> Outcome {
    let stack = Stack::new()?;
    let (primary, standby) = pair(&stack, PgVersion::V18)?;
    counters::table(&primary)?;
    primary.psql(&format!(
        "create publication {PUBLICATION} for table counters"
    ))?;
    let config = postgres_source(&standby, SOURCE, "public.counters");
    let own = [("publication.autocreate.mode", "disabled")];
    let worker = worker(&stack)?;
    let mut load = counters::count(&primary);
    worker
        .rest()
        .create(SOURCE, &with(with(config, IMPATIENT), &own))?;
    tell_what_runs(&primary, &worker)?;
    load.wait_for(3)?;
    worker.server().kill9()?;
    worker.server().start()?;
    load.wait_for(3)?;
    load.stop()?;
    has_read_all(&primary, &standby)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &primary)?;
    counters::assert_exactly_once(&history)
}

/// Waits until the slot on the standby has been confirmed up to the primary's end.
fn has_read_all(primary: &Postgres, standby: &Postgres) -> Outcome {
    let end = primary.psql("select pg_current_wal_lsn()")?;
    let confirmed = format!(
        "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{SLOT}'",
        end.trim()
    );
    wait_until("the slot on the standby to be confirmed", LIMIT, || {
        Ok(standby.psql(&confirmed)?.trim() == "t")
    })?;
    Ok(())
}
