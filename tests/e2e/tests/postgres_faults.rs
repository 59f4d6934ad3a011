//! PostgreSQL restarted, killed, away, cut off and silent under load: nothing lost or doubled, the status tells it, and
//! everything goes on by itself.

use std::{collections::BTreeMap, time::Duration};

use e2e::{
    Fault, LogKind, Outcome, Rest, Scene, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source_at, redis_sink, with},
    counters::{self, History, assert_at_least_once, assert_exactly_once},
    is_long, items,
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::Value;
use stack::{PgVersion, Postgres, PostgresOptions, Proxy, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const AWAY: &str = "postgres.connection";

/// A source behind the proxy that notices silence after three seconds and tries again at least every second.
fn source(proxy: &Proxy, tables: &str) -> Value {
    let config = postgres_source_at(proxy.port(), SOURCE, tables);
    let patience = [
        ("status.update.interval.ms", "1000"),
        ("connection.validation.timeout.ms", "3000"),
    ];
    with(with(config, &patience), IMPATIENT)
}

/// A server of its own, since it is stopped, and a proxy before it.
fn server(stack: &Stack) -> Outcome<(Postgres, Proxy)> {
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", postgres.port()))?;
    Ok((postgres, proxy))
}

/// Ends the server in order: it must not wait in vain for its standby, which our source is to it.
fn shut_down(postgres: &Postgres) -> Outcome {
    postgres.stop()?;
    if postgres.log_tail().contains("database system is shut down") {
        return Ok(());
    }
    Err(format!("the server did not end in order: {}", postgres.log_tail()).into())
}

/// Every fault, one after the other.
fn every_fault(
    postgres: &Postgres,
    proxy: &Proxy,
    mut survive: impl FnMut(&Fault<'_>) -> Outcome,
) -> Outcome {
    let done = |result: stack::Result<()>| -> Outcome { Ok(result?) };
    let start = || {
        proxy.heal();
        done(postgres.start())
    };
    let heal = || {
        proxy.heal();
        Ok(())
    };
    survive(&Fault {
        name: "restarted in order",
        says: AWAY,
        strike: &|| shut_down(postgres),
        mend: &start,
    })?;
    survive(&Fault {
        name: "killed",
        says: AWAY,
        strike: &|| done(postgres.kill9()),
        mend: &start,
    })?;
    survive(&Fault {
        name: "cut off",
        says: AWAY,
        strike: &|| {
            proxy.cut();
            Ok(())
        },
        mend: &heal,
    })?;
    survive(&Fault {
        name: "silent",
        says: AWAY,
        strike: &|| {
            proxy.stall();
            Ok(())
        },
        mend: &heal,
    })
}

fn streaming(options: WorkerOptions) -> Outcome<History> {
    let stack = Stack::new()?;
    let (postgres, proxy) = server(&stack)?;
    let config = source(&proxy, "public.counters");
    let scene = Scene::counting(&stack, postgres.clone(), options, &config)?;
    every_fault(&postgres, &proxy, |fault| scene.survive(SOURCE, fault))?;
    scene.finish()
}

#[test]
fn a_stream_survives_exactly_once() -> Outcome {
    assert_exactly_once(&streaming(
        WorkerOptions::on(LogKind::Embedded).exactly_once(),
    )?)
}

#[test]
fn a_stream_survives_at_least_once() -> Outcome {
    assert_at_least_once(&streaming(WorkerOptions::on(LogKind::Embedded))?)
}

/// Rows enough for each fault to strike in the middle of the snapshot.
const ROWS: usize = 60_000;
/// After so many bytes of it.
const PART: usize = 2 << 20;

fn rows(postgres: &Postgres) -> Outcome {
    postgres.psql(&format!(
        "create table rows (id int primary key, body text not null);
         insert into rows select i, repeat(md5(i::text), 8) from generate_series(1, {ROWS}) i;
         alter table rows owner to cdc"
    ))?;
    Ok(())
}

/// How often each row is in the topic.
fn reads(records: &[(String, String)]) -> Outcome<BTreeMap<i64, usize>> {
    let mut reads = BTreeMap::new();
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let id = change["after"]["id"].as_i64().ok_or("a row without id")?;
        *reads.entry(id).or_default() += 1;
    }
    Ok(reads)
}

/// Strikes with every fault while the snapshot is being read, then waits until it is complete.
fn in_the_snapshot(rest: &Rest, postgres: &Postgres, proxy: &Proxy) -> Outcome {
    every_fault(postgres, proxy, |fault| {
        let named = |error| format!("{}: {error}", fault.name);
        proxy.stall_after(PART);
        wait_until("the snapshot", LIMIT, || Ok(proxy.is_stalled())).map_err(named)?;
        (fault.strike)()?;
        rest.wait_for_trouble(SOURCE, fault.says)?;
        (fault.mend)()
    })?;
    rest.wait_for(SOURCE, "RUNNING")?;
    rest.wait_for_stream(SOURCE)
}

/// The same while rows change, come and go all over the table: in the end Redis holds what the table holds.
fn snapshot_under_load(options: WorkerOptions) -> Outcome {
    let stack = Stack::new()?;
    let (postgres, proxy) = server(&stack)?;
    let redis = stack.redis()?;
    items::table(&postgres)?;
    items::fill(&postgres, 40_000)?;
    let worker = Worker::start(&stack, options)?;
    let rest = worker.rest();
    let mut load = items::churn_widely(&postgres);
    rest.create(SOURCE, &source(&proxy, items::TABLE))?;
    rest.create("sink", &redis_sink(&redis, "faults\\..*"))?;
    in_the_snapshot(rest, &postgres, &proxy)?;
    load.wait_for(2)?;
    load.finish(SLOT)?;
    items::wait_equal_in_redis(&postgres, &redis)
}

#[test]
fn a_snapshot_under_load_ends_equal() -> Outcome {
    snapshot_under_load(WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    match is_long() {
        true => snapshot_under_load(WorkerOptions::on(LogKind::Embedded)),
        false => Ok(()),
    }
}

/// A snapshot that every fault interrupts goes on where it stopped, so that each row is read once.
#[test]
fn a_snapshot_survives_and_reads_each_row_once() -> Outcome {
    let stack = Stack::new()?;
    let (postgres, proxy) = server(&stack)?;
    rows(&postgres)?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    let rest = worker.rest();
    rest.create(SOURCE, &source(&proxy, "public.rows"))?;
    in_the_snapshot(rest, &postgres, &proxy)?;
    let reads = reads(&worker.stop_and_read("faults.public.rows")?)?;
    assert_eq!(reads.len(), ROWS, "rows are missing");
    assert!(reads.values().all(|count| *count == 1), "rows are doubled");
    Ok(())
}

#[test]
fn a_server_that_is_away_at_first_is_waited_for() -> Outcome {
    let stack = Stack::new()?;
    let (postgres, proxy) = server(&stack)?;
    counters::table(&postgres)?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    let (rest, config) = (worker.rest(), source(&proxy, "public.counters"));
    rest.create_as(SOURCE, &config, "STOPPED")?;
    shut_down(&postgres)?;
    // A new connector is refused, with words that say why.
    let refused = rest
        .create("another", &config)
        .err()
        .map(|error| error.to_string());
    let told = refused
        .is_some_and(|text| text.contains("400") && text.contains("Check that the server runs"));
    assert!(told, "a connector was created that reaches no server");
    rest.must("PUT", &format!("/connectors/{SOURCE}/resume"))?;
    rest.wait_for_trouble(SOURCE, AWAY)?;
    // A worker that starts while it is away waits, too.
    worker.server().restart()?;
    rest.wait_for_trouble(SOURCE, AWAY)?;
    postgres.start()?;
    rest.wait_for(SOURCE, "RUNNING")?;
    rest.wait_for_stream(SOURCE)?;
    let mut load = counters::count(&postgres);
    load.wait_for(2)?;
    load.finish(SLOT)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &postgres)?;
    assert_exactly_once(&history)
}
