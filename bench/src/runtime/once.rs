//! What exactly-once costs: rows per second with and without it, in turns, and the time from commit to readable record.

use e2e::Outcome;

use super::{Bench, figure::Figures};
use crate::{
    report::Measured,
    scenario::{Kind, Scenario},
    tool::{Tool, ToolKind},
};

/// How often each is measured; the medians are compared.
const TURNS: usize = 3;

/// Measures a tool.
pub(super) fn measure(bench: &Bench<'_>, kind: ToolKind, figures: &mut Figures) -> Outcome {
    let turns = if kind == ToolKind::Tidewater {
        TURNS
    } else {
        1
    };
    let mut of_each = [Vec::new(), Vec::new()];
    for _ in 0..turns {
        for (all, exactly_once) in of_each.iter_mut().zip([false, true]) {
            all.push(one(bench, kind, Kind::Stream, exactly_once)?);
        }
    }
    let [plain, once] = of_each.map(|all| {
        let mut rates: Vec<f64> = all.iter().filter_map(|m| m.rows_per_s).collect();
        let mut cpu: Vec<f64> = all.iter().filter_map(|m| m.cpu_s_per_million).collect();
        (median(&mut rates), median(&mut cpu))
    });
    figures.add(kind, "stream", (plain.0, "rows/s"), None);
    figures.add(kind, "stream, exactly-once", (once.0, "rows/s"), None);
    let cost = (1.0 - once.0 / plain.0) * 100.0;
    figures.add(
        kind,
        "throughput that exactly-once costs",
        (cost, "%"),
        10.0,
    );
    figures.add(kind, "stream, CPU per million rows", (plain.1, "s"), None);
    figures.add(
        kind,
        "stream, exactly-once, CPU per million rows",
        (once.1, "s"),
        None,
    );
    for (exactly_once, name, bar) in [
        (false, "commit to readable p99", None),
        (true, "commit to readable p99, exactly-once", Some(30.0)),
    ] {
        let measured = one(bench, kind, Kind::Latency, exactly_once)?;
        let p99 = measured.latency_p99_ms.unwrap_or_default();
        figures.add(kind, name, (p99, "ms"), bar);
    }
    Ok(())
}

fn one(bench: &Bench<'_>, kind: ToolKind, what: Kind, exactly_once: bool) -> Outcome<Measured> {
    let kafka = bench.kafka()?;
    let arguments = bench.arguments;
    let bootstrap = kafka.bootstrap();
    let tool = Tool::start(
        bench.stack,
        kind,
        bootstrap,
        exactly_once,
        &arguments.worker,
    )?;
    let scenario = Scenario {
        kind: what,
        schemas: false,
        exactly_once,
    };
    let measured = scenario.measure(bench.database, &kafka, &tool, arguments, &[])?;
    tool.stop()?;
    kafka.stop()?;
    Ok(measured)
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
