//! Measures Tidewater beside a peer and the server's own limit: the same database, the same Kafka, the same rows, one
//! after the other in one run. Figures are counted from the topic and taken from the operating system.

mod arguments;
mod arrivals;
mod course;
mod database;
mod drain;
mod in_memory;
mod latency;
mod limit;
mod report;
mod runtime;
mod scenario;
mod tool;
mod topic;
mod workload;

use std::process::ExitCode;

use arguments::{Arguments, Suite};
use database::Database;
use e2e::Outcome;
use report::Measured;
use scenario::{Kind, Scenario};
use stack::{Kafka, KafkaOptions, Stack};
use tool::{Tool, ToolKind};

/// The program's own, since its source runs in here when the log is in memory.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    // As the program does: one TLS provider for all.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return Err("a TLS provider is there already".into());
    }
    let stack = Stack::new()?;
    let database = arguments.source.start(&stack)?;
    let database = database.as_ref();
    let measure = match arguments.suite {
        Suite::Runtime => return runtime(arguments, &stack, database),
        Suite::Memory => {
            println!("{}", report::head());
            return finish(arguments, &in_memory::measure(arguments, database)?);
        }
        Suite::OneTable => one_table,
        Suite::Workloads => workloads,
    };
    // The broker's clock on every record: throughput is read from the topic, not from the tool.
    let options = KafkaOptions::default()
        .full_speed()
        .set("log.message.timestamp.type", "LogAppendTime")
        .set("auto.create.topics.enable", "true")
        .set("message.max.bytes", "67108864");
    let kafka = stack.kafka_with(options)?;
    println!("{}", report::head());
    let all = measure(arguments, &stack, database, &kafka)?;
    finish(arguments, &all)
}

fn runtime(arguments: &Arguments, stack: &Stack, database: &dyn Database) -> Outcome {
    let all = runtime::run(arguments, stack, database)?;
    if let Some(file) = &arguments.json {
        let objects = all.iter().map(runtime::Figure::object).collect();
        std::fs::write(file, format!("{:#}\n", serde_json::Value::Array(objects)))?;
    }
    println!("\n{}", runtime::comparison(&all));
    Ok(())
}

fn workloads(
    arguments: &Arguments,
    stack: &Stack,
    database: &dyn Database,
    kafka: &Kafka,
) -> Outcome<Vec<Measured>> {
    let mut workloads = workload::all(database.dialect().as_ref(), arguments.rows);
    let only = arguments.only.as_deref().unwrap_or_default();
    workloads.retain(|workload| workload.name.contains(only));
    let mut limits = Vec::new();
    for workload in &workloads {
        let limit = database.stream_limit(workload)?;
        println!("{}", limit.row());
        limits.push(limit);
    }
    let mut all = limits.clone();
    for kind in arguments.tools() {
        let bootstrap = kafka.bootstrap();
        let tool = Tool::start(stack, kind, bootstrap, false, &arguments.worker)?;
        for (workload, limit) in workloads.iter().zip(&limits) {
            if kind == ToolKind::Debezium && !workload.is_for_peer {
                continue;
            }
            let measured = course::measure(workload, (database, kafka, &tool), limit)?;
            println!("{}", measured.row());
            all.push(measured);
        }
        tool.stop()?;
    }
    Ok(all)
}

fn one_table(
    arguments: &Arguments,
    stack: &Stack,
    database: &dyn Database,
    kafka: &Kafka,
) -> Outcome<Vec<Measured>> {
    let mut all = Vec::new();
    for limit in database.limits(arguments.rows)? {
        println!("{}", limit.row());
        all.push(limit);
    }
    for kind in arguments.tools() {
        for exactly_once in [false, true] {
            let scenarios: Vec<Scenario> = arguments
                .scenarios()
                .into_iter()
                .filter(|s| s.exactly_once == exactly_once && s.is_for(kind))
                .collect();
            if scenarios.is_empty() {
                continue;
            }
            let tool = Tool::start(
                stack,
                kind,
                kafka.bootstrap(),
                exactly_once,
                &arguments.worker,
            )?;
            for scenario in &scenarios {
                let measured = scenario.measure(database, kafka, &tool, arguments, &all)?;
                println!("{}", measured.row());
                all.push(measured);
            }
            if !exactly_once {
                for limit in broker_limits(&scenarios, &tool, (database, kafka), arguments.rows)? {
                    println!("{}", limit.row());
                    all.push(limit);
                }
            }
            tool.stop()?;
        }
    }
    Ok(all)
}

/// The broker's limit for records of the streams that a tool has written.
fn broker_limits(
    scenarios: &[Scenario],
    tool: &Tool,
    (database, kafka): (&dyn Database, &Kafka),
    rows: u64,
) -> Outcome<Vec<Measured>> {
    let streams = scenarios.iter().filter(|s| s.kind == Kind::Stream);
    let limit = |scenario: &Scenario| {
        let id = scenario.identifier(tool);
        let topic = format!("{id}.{}", database.table(&id));
        limit::produce(kafka, &topic, rows, &scenario.name())
    };
    streams.map(limit).collect()
}

fn finish(arguments: &Arguments, all: &[Measured]) -> Outcome {
    if let Some(file) = &arguments.json {
        std::fs::write(file, report::json(all))?;
    }
    if arguments.tools().contains(&ToolKind::Debezium) {
        println!("\n{}", report::ratios(all));
    }
    Ok(())
}
