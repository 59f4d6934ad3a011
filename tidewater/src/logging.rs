//! Log lines for operators, and levels that change while the worker runs.

mod filing;

use std::collections::BTreeMap;

use api::{Level, Loggers};
use connect_runtime::Logs;
use filing::Filing;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

/// The spans of connectors stay, whatever is filtered: lines of all levels know whose they are.
const SPANS: &str = "tidewater::connector=error";

/// What logging is looked at and changed by.
pub(crate) struct Logging {
    /// Serves `/admin/loggers`.
    pub(crate) loggers: Loggers,
    /// The lines of each connector.
    pub(crate) logs: Logs,
}

/// Starts logging to standard error, and into memory for each connector.
pub(crate) fn start(filter: &str, json: bool) -> Result<Logging, String> {
    let parsed = EnvFilter::try_new(directives(filter, &BTreeMap::new()))
        .map_err(|error| format!("--log {filter}: {error}"))?;
    let logs = Logs::default();
    let (layer, handle) = reload::Layer::new(parsed);
    let registry = tracing_subscriber::registry()
        .with(layer)
        .with(Filing::new(&logs));
    let out = fmt::layer().with_writer(std::io::stderr).with_target(true);
    if json {
        registry.with(out.json().flatten_event(true)).init();
    } else {
        registry
            .with(out.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())))
            .init();
    }
    let given = filter.to_owned();
    let apply = move |levels: &BTreeMap<String, Level>| {
        let directives = directives(&given, levels);
        let filter = EnvFilter::try_new(&directives).map_err(|e| e.to_string())?;
        handle.reload(filter).map_err(|e| e.to_string())
    };
    let loggers = Loggers::new(&root_level(filter), Box::new(apply));
    Ok(Logging { loggers, logs })
}

/// The filter given at the start, and over it what was set since.
fn directives(given: &str, levels: &BTreeMap<String, Level>) -> String {
    let set = levels
        .iter()
        .filter(|(_, level)| level.last_modified.is_some());
    let mut all = vec![given.to_owned()];
    all.extend(set.map(|(logger, level)| match logger.as_str() {
        "root" => level_name(&level.level).to_owned(),
        logger => format!("{}={}", target(logger), level_name(&level.level)),
    }));
    all.push(SPANS.to_owned());
    all.join(",")
}

/// Java's loggers have no target of ours; ours are written with `.` or `::` alike.
fn target(logger: &str) -> String {
    logger.replace('.', "::")
}

fn level_name(level: &str) -> &'static str {
    match level {
        "OFF" => "off",
        "ERROR" | "FATAL" => "error",
        "WARN" => "warn",
        "DEBUG" => "debug",
        "TRACE" | "ALL" => "trace",
        _ => "info",
    }
}

fn root_level(filter: &str) -> String {
    let root = filter
        .split(',')
        .find(|part| !part.contains('='))
        .unwrap_or("info");
    root.to_ascii_uppercase()
}
