//! What reading and decoding cost, without encoding: rows per second and CPU seconds per million rows of a slot's
//! backlog and of a snapshot, beside the server's own limit on the same data.
//!
//! `cargo run --release -p postgres-source --example drain -- [ROWS] [ROWS_PER_TRANSACTION]`

use std::{
    error::Error,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use connect_core::{
    Batch, Config, Position, SourceConnector, SourceTask, Start, TaskPlan, meter::Meter,
    watermark::watermark,
};
use postgres_source::{PostgresConfig, PostgresSource, PostgresTask};
use stack::{PgVersion, Postgres, Stack};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TABLE: &str = "create table orders (id bigserial primary key, customer int not null, \
    placed timestamptz not null, total numeric(10,2) not null, status text not null, \
    note varchar(100), paid boolean not null)";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let chunk: u64 = arguments.next().map_or(Ok(rows), |text| text.parse())?;
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    postgres.psql(TABLE)?;
    postgres.psql("create publication dbz_publication for all tables")?;
    for slot in ["debezium", "peer"] {
        postgres.psql(&format!(
            "select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
        ))?;
    }
    let mut filled = 0;
    while filled < rows {
        let next = chunk.min(rows - filled);
        postgres.psql(&insert(next))?;
        filled += next;
    }
    postgres.psql("vacuum analyze orders; checkpoint")?;
    println!("{rows} rows, {chunk} in each transaction");
    limit_of_stream(&postgres, rows)?;
    Box::pin(drain(&postgres, "stream", rows, "no_data")).await?;
    limit_of_copy(&postgres, rows, "COPY, as it lies", "orders")?;
    limit_of_copy(
        &postgres,
        rows,
        "COPY, by key",
        "(select * from orders order by id)",
    )?;
    Box::pin(drain(&postgres, "snapshot", rows, "initial_only")).await?;
    Ok(())
}

fn insert(rows: u64) -> String {
    format!(
        "insert into orders (customer, placed, total, status, note, paid) select i % 1000, \
         now() - i * interval '1 second', (i % 100000) / 100.0, 'shipped', 'note of order ' || i, i % 2 = 0 \
         from generate_series(1, {rows}) i"
    )
}

fn limit_of_stream(postgres: &Postgres, rows: u64) -> Result<()> {
    let end = postgres.psql("select pg_current_wal_lsn()")?;
    let start = Instant::now();
    let status = Command::new(postgres.program("pg_recvlogical"))
        .args(["--start", "--slot=peer", "-f", "/dev/null", "--no-loop"])
        .args([
            "-o",
            "proto_version=1",
            "-o",
            "publication_names=dbz_publication",
        ])
        .arg(format!("--endpos={}", end.trim()))
        .args(["-d", &postgres.url()])
        .stderr(Stdio::null())
        .status()?;
    assert!(status.success(), "pg_recvlogical failed");
    show("pg_recvlogical", rows, start.elapsed(), None);
    Ok(())
}

fn limit_of_copy(postgres: &Postgres, rows: u64, what: &str, from: &str) -> Result<()> {
    let start = Instant::now();
    let status = Command::new(postgres.program("psql"))
        .args([
            "-XqAt",
            "-d",
            &postgres.url(),
            "-c",
            &format!("copy {from} to stdout"),
        ])
        .stdout(Stdio::null())
        .status()?;
    assert!(status.success(), "psql failed");
    show(what, rows, start.elapsed(), None);
    Ok(())
}

async fn drain(postgres: &Postgres, what: &str, rows: u64, mode: &str) -> Result<()> {
    let mut task = task(postgres, mode)?;
    let (advance, safe) = watermark::<Position>();
    task.open(Start {
        stored: Vec::new(),
        safe,
        meter: Meter::default(),
        outside: connect_core::outside::Outside::default(),
    })
    .await?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let mut batch = Batch::default();
    let (mut seen, mut batches) = (0, 0u64);
    while seen < rows {
        batch.clear();
        task.poll(&mut batch)
            .await
            .inspect_err(|_| eprintln!("{}", postgres.log_tail()))?;
        seen += batch.len() as u64;
        batches += 1;
        if let Some(position) = batch.position() {
            advance.to(position.clone());
        }
    }
    show(what, rows, start.elapsed(), Some(cpu_seconds()? - cpu));
    println!("{:>24}{} rows in a batch", "", rows / batches.max(1));
    task.close().await?;
    Ok(())
}

fn task(postgres: &Postgres, mode: &str) -> Result<PostgresTask> {
    let port = postgres.port().to_string();
    let properties = [
        ("topic.prefix", "drain"),
        ("database.hostname", "127.0.0.1"),
        ("database.port", &port),
        ("database.user", "postgres"),
        ("database.password", stack::PASSWORD),
        ("database.dbname", stack::DATABASE),
        ("database.sslmode", "disable"),
        ("snapshot.mode", mode),
    ];
    let properties = properties
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let config =
        PostgresConfig::parse(&properties).map_err(|f| connect_core::config::invalid(&f))?;
    Ok(PostgresSource::task(config, TaskPlan::new())?)
}

fn show(what: &str, rows: u64, took: Duration, cpu: Option<f64>) {
    let million = rows as f64 / 1e6;
    let cpu = cpu.map_or(String::new(), |cpu| {
        format!(", {:.2} CPU s per million", cpu / million)
    });
    println!(
        "{what:>22}: {:>9.0} rows/s{cpu}",
        rows as f64 / took.as_secs_f64()
    );
}

/// User and system time of this process: fields 14 and 15 of its `stat`, in hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
