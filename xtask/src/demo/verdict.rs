//! The check: the sinks are waited for, and then compared with the tables.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use stack::wait_until;

use super::{
    Result,
    compare::{self, Finding, Findings},
    database::Database,
    inventory::TABLES,
    mirror::Mirror,
    progress::grouped,
    run::Run,
    servers::Servers,
};

const CATCH_UP_LIMIT: Duration = Duration::from_secs(180);
/// Sinks that write nothing for so long, with the last change in them, are at rest.
const REST: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(200);

/// Ends the writers, waits for the sinks, compares; an error when a sink is not what the tables are.
pub(super) fn pronounce(run: Run<'_>, servers: &Servers) -> Result<()> {
    let progress = run.progress;
    let mut mirrors = settle(run)?;
    let compare = || {
        let mut all = Vec::new();
        for mirror in &mut mirrors {
            all.push((
                mirror.name(),
                findings(servers.database.as_ref(), mirror.as_mut())?,
            ));
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(all)
    };
    let all = progress.step("compare every row", compare, |_| "done".into())?;
    print!("\n{}", table(&all));
    let wrong = all
        .iter()
        .flat_map(|(_, it)| it.values())
        .filter(|it| !it.is_clean());
    match wrong.count() {
        0 => {
            println!("\nRedis and the search engine equal the tables.");
            Ok(())
        }
        _ => Err("the sinks do not equal the tables".into()),
    }
}

/// Ends the writers, makes a last beat, and waits until it is in both sinks and these are at rest.
fn settle(run: Run<'_>) -> Result<[Box<dyn Mirror>; 2]> {
    let Run {
        progress,
        worker,
        rest,
        beats,
        writers,
        watches,
        mut mirrors,
        ..
    } = run;
    let mut session = writers.end()?;
    let last = beats.beat(&mut session)?;
    let catch_up = || -> Result<()> {
        let mut looked = Instant::now();
        let mut failure = None;
        let caught_up = wait_until(
            "the last change to be in both sinks",
            CATCH_UP_LIMIT,
            || {
                if looked.elapsed() > STEP {
                    failure = worker.alive().and_then(|()| rest.healthy()).err();
                    looked = Instant::now();
                }
                let arrived = watches.all.iter().all(|watch| watch.is_at(last));
                Ok(arrived || failure.is_some() || watches.has_ended())
            },
        );
        watches.end()?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        Ok(caught_up?)
    };
    progress.step("workload stopped, sinks catch up", catch_up, |()| {
        "the last change of every table is in both".into()
    })?;
    let rest = || mirrors.iter_mut().try_for_each(|it| at_rest(it.as_mut()));
    progress.step("sinks come to rest", rest, |()| {
        format!("no writes for {} s", REST.as_secs())
    })?;
    Ok(mirrors)
}

/// The last change of a table is in its last partition only: all writing must have ended.
fn at_rest(mirror: &mut dyn Mirror) -> Result<()> {
    let mut writes = mirror.writes()?;
    let mut since = Instant::now();
    let mut failure = None;
    let what = format!("{} to be at rest", mirror.name());
    let mut asked = Instant::now();
    wait_until(&what, CATCH_UP_LIMIT, || {
        if asked.elapsed() < STEP {
            return Ok(false);
        }
        asked = Instant::now();
        match mirror.writes() {
            Ok(now) if now == writes => {}
            Ok(now) => (writes, since) = (now, Instant::now()),
            Err(error) => failure = Some(error),
        }
        Ok(failure.is_some() || since.elapsed() >= REST)
    })?;
    failure.map_or(Ok(()), Err)
}

fn findings(database: &dyn Database, mirror: &mut dyn Mirror) -> Result<Findings> {
    let mut findings = Findings::new();
    let mut known = HashSet::new();
    for table in TABLES {
        let truth = database.truth(table)?;
        let finding = compare::rows(&truth, mirror, &mut known)?;
        findings.insert(table.to_owned(), finding);
    }
    compare::extra(mirror, &known, &mut findings)?;
    Ok(findings)
}

/// A line for each sink and table, and the first differences.
fn table(all: &[(&'static str, Findings)]) -> String {
    let mut text = format!(
        "{:<8} {:<16} {:>10} {:>10} {:>10} {:>10}\n",
        "sink", "table", "equal", "different", "missing", "extra"
    );
    for (sink, findings) in all {
        for (table, it) in findings {
            let [equal, different, missing, extra] =
                [it.equal, it.different, it.missing, it.extra].map(grouped);
            text += &format!(
                "{sink:<8} {table:<16} {equal:>10} {different:>10} {missing:>10} {extra:>10}\n"
            );
        }
    }
    for (sink, findings) in all {
        for (table, Finding { examples, .. }) in findings {
            for example in examples {
                text += &format!("{sink}, {table}: {example}\n");
            }
        }
    }
    text
}
