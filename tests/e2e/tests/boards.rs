//! The boards of `compose/grafana` show what `/metrics` has, and the numbers are right.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{mysql_source, postgres_source, redis_sink},
};
use serde_json::Value;
use stack::{MysqlVersion, PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const BOARDS: &str = "../../compose/grafana/boards";
/// How names of metrics begin, of which a board may use any.
const OURS: [&str; 3] = ["kafka_connect_", "debezium_metrics_", "tidewater_"];
const SOURCE: &str = "shop";
const SINK: &str = "shop-redis";

/// `/metrics`: the samples of each name, as labels and number.
struct Page(BTreeMap<String, Vec<(String, f64)>>);

impl Page {
    fn read(worker: &Worker) -> stack::Result<Self> {
        let told = worker.rest().ask("GET", "/metrics", "");
        let text = told
            .map_err(|error| stack::Error::new(error.to_string()))?
            .body;
        let mut all: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (what, number) = line.rsplit_once(' ').unwrap_or((line, ""));
            let (name, labels) = what.split_once('{').unwrap_or((what, ""));
            let number = number.parse();
            let number = number.map_err(|_| stack::Error::new(format!("no number: {line}")))?;
            let samples = all.entry(name.to_owned()).or_default();
            samples.push((labels.trim_end_matches('}').to_owned(), number));
        }
        Ok(Self(all))
    }

    /// The sum over the samples whose labels have this in them.
    fn sum(&self, name: &str, labels: &str) -> f64 {
        let samples = self.0.get(name).into_iter().flatten();
        let samples = samples.filter(|(found, _)| found.contains(labels));
        samples.map(|(_, number)| number).sum()
    }
}

/// Every text of a kind in a board: expressions of panels, queries of variables.
fn texts<'a>(of: &'a Value, found: &mut Vec<&'a str>) {
    match of {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == "expr" || name == "query" => found.push(text),
            other => texts(other, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// The metrics that an expression names, each with the labels that it chooses by.
fn named(expression: &str) -> Vec<(String, Vec<String>)> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut rest = expression;
    let mut all = Vec::new();
    while let Some(at) = OURS.iter().filter_map(|start| rest.find(start)).min() {
        rest = &rest[at..];
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let chosen = after.strip_prefix('{').and_then(|c| c.split_once('}'));
        let labels = chosen.map_or("", |(labels, _)| labels).split("\",");
        let labels = labels.filter_map(|one| one.split_once('=').map(|(l, _)| l.to_owned()));
        all.push((name.to_owned(), labels.collect()));
        rest = after;
    }
    all
}

fn assert_shown(page: &Page) -> Outcome {
    let mut names = BTreeSet::new();
    for board in fs::read_dir(BOARDS)? {
        let path = board?.path();
        let board: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let mut expressions = Vec::new();
        texts(&board, &mut expressions);
        for (name, labels) in expressions.into_iter().flat_map(named) {
            let samples = page.0.get(&name);
            let samples = samples.ok_or_else(|| format!("{}: {name}", path.display()))?;
            for label in labels {
                let begins = format!("{label}=\"");
                let has = samples.iter().any(|(found, _)| found.contains(&begins));
                assert!(has, "{}: {name} has no label {label}", path.display());
            }
            names.insert(name);
        }
    }
    // A board that is not understood would be one without names.
    assert!(names.len() > 40, "{names:?}");
    Ok(())
}

/// Waits until the stream has shown these numbers of creates, updates and deletes.
fn wait_for_events(worker: &Worker, expected: [f64; 3]) -> Outcome {
    let mut last = [0.0; 3];
    let waited = wait_until("the numbers of events", LIMIT, || {
        let page = Page::read(worker)?;
        last = ["Create", "Update", "Delete"].map(|op| {
            let name = format!("debezium_metrics_TotalNumberOf{op}EventsSeen");
            page.sum(&name, "name=\"shop\",context=\"streaming\"")
        });
        Ok(last == expected)
    });
    waited.map_err(|error| format!("{error}; the last were {last:?}").into())
}

#[test]
fn every_name_in_a_board_is_one_that_a_worker_shows() -> Outcome {
    let stack = Stack::new()?;
    let (postgres, redis) = (stack.postgres(PgVersion::V15)?, stack.redis()?);
    postgres.psql("create table items (id int primary key, v int); alter table items owner to cdc; insert into items select i, 0 from generate_series(1, 30) i")?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    rest.create(SOURCE, &postgres_source(&postgres, SOURCE, "public.items"))?;
    rest.wait_for_stream(SOURCE)?;
    rest.create(SINK, &redis_sink(&redis, "shop\\.public\\.items"))?;
    postgres.psql("insert into items select i, 0 from generate_series(101, 107) i")?;
    postgres.psql("update items set v = 1 where id <= 5; delete from items where id > 105")?;
    wait_for_events(&worker, [7.0, 5.0, 2.0])?;
    wait_until("the latencies and the end of the lag", LIMIT, || {
        let page = Page::read(&worker)?;
        // Each delete has a tombstone. A snapshot's rows have no commit, but a record like all others.
        let source = page.sum("tidewater_source_latency_seconds_count", SOURCE);
        let sink = page.sum("tidewater_sink_latency_seconds_count", SINK);
        let waits = page.sum("tidewater_task_lag_records", "");
        let guarded = page
            .0
            .contains_key("tidewater_connector_slot_retained_wal_bytes");
        Ok(source == 16.0 && sink == 46.0 && waits == 0.0 && guarded)
    })?;
    let page = Page::read(&worker)?;
    assert_eq!(page.sum("debezium_metrics_RowsScanned", "shop"), 30.0);
    assert_eq!(page.sum("debezium_metrics_SnapshotCompleted", "shop"), 1.0);
    assert_eq!(page.sum("debezium_metrics_Connected", "shop"), 1.0);
    let written = "kafka_connect_source_task_source_record_write_total";
    assert_eq!(page.sum(written, SOURCE), 46.0);
    assert_eq!(
        page.sum("kafka_connect_worker_task_startup_success_total", ""),
        2.0
    );
    assert_told(&page);
    assert_shown(&page)
}

/// Numbers that no board has.
fn assert_told(page: &Page) {
    let connect = |name: &str, labels: &str| page.sum(&format!("kafka_connect_{name}"), labels);
    let startups = connect("worker_connector_startup_success_total", "");
    assert_eq!(startups, 2.0);
    assert_eq!(
        connect("worker_connector_startup_success_percentage", ""),
        1.0
    );
    for connector in [SOURCE, SINK] {
        let labels = format!("connector=\"{connector}\",task=\"0\"");
        let runs = connect("connector_task_running_ratio", &labels);
        assert!(runs > 0.0 && runs <= 1.0, "{runs}");
        assert_eq!(connect("connector_task_pause_ratio", &labels), 0.0);
        let json = format!("{labels},class=\"org.apache.kafka.connect.json.JsonConverter\"");
        assert_eq!(connect("connector_task_value_converter_class", &json), 1.0);
    }
    let class = "class=\"io.debezium.connector.postgresql.PostgresConnector\"";
    assert_eq!(connect("connector_class", class), 1.0);
    let rebalances = connect("worker_rebalance_completed_rebalances_total", "");
    assert!(rebalances >= 1.0, "{rebalances}");
    assert!(connect("source_task_source_record_active_count_max", SOURCE) >= 1.0);
    assert!(page.0.contains_key("tidewater_task_lag_bytes"));
}

#[test]
fn a_source_of_mysql_has_debeziums_numbers() -> Outcome {
    let stack = Stack::new()?;
    let mysql = stack.mysql(MysqlVersion::Mariadb118)?;
    mysql.sql("create table inventory.items (id int primary key, v int); insert into inventory.items values (1, 0), (2, 0)")?;
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let worker = Worker::start(&stack, options)?;
    let config = mysql_source(&mysql, SOURCE, "inventory.items", "127.0.0.1:1");
    worker.rest().create(SOURCE, &config)?;
    wait_until("the snapshot", LIMIT, || {
        let page = Page::read(&worker)?;
        Ok(page.sum("debezium_metrics_Connected", "plugin=\"mariadb\"") == 1.0)
    })?;
    mysql.sql("insert into inventory.items values (3, 0); update inventory.items set v = 1; delete from inventory.items where id = 1")?;
    wait_for_events(&worker, [1.0, 3.0, 1.0])?;
    wait_until("the latencies", LIMIT, || {
        let page = Page::read(&worker)?;
        Ok(page.sum("tidewater_source_latency_seconds_count", SOURCE) == 6.0)
    })?;
    let smallest = "kafka_connect_source_task_transaction_size_min";
    assert!(Page::read(&worker)?.sum(smallest, SOURCE) >= 1.0);
    wait_until("the end of the lag in bytes", LIMIT, || {
        let page = Page::read(&worker)?;
        let is_told = page.0.contains_key("tidewater_task_lag_bytes");
        Ok(is_told && page.sum("tidewater_task_lag_bytes", SOURCE) == 0.0)
    })?;
    Ok(())
}
