//! The server's own limit: what it gives a client that throws everything away.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use e2e::Outcome;
use stack::Postgres;

use crate::{database::Database, report::Measured, scenario::CONNECTIONS};

/// Snapshot (`COPY … TO STDOUT`, by one connection and by several) and stream (`pg_recvlogical` to nowhere).
pub(crate) fn all(database: &Database, rows: u64) -> Outcome<[Measured; 3]> {
    let postgres = database.server();
    database.create_table("limits")?;
    postgres.psql("select pg_create_logical_replication_slot('limits_slot', 'pgoutput')")?;
    database.fill("limits", rows)?;
    database.settle()?;
    let copied = copy(postgres, rows)?;
    let by_several = copy_by_several(postgres, rows)?;
    let received = receive(postgres, rows, "stream")?;
    database.drop_slot("limits_slot")?;
    postgres.psql("drop publication limits_publication; drop table limits")?;
    Ok([copied, by_several, received])
}

fn copy(postgres: &Postgres, rows: u64) -> Outcome<Measured> {
    let started = Instant::now();
    run(Command::new(postgres.program("psql")).args([
        "-q",
        "-d",
        &postgres.url(),
        "-c",
        "copy limits to stdout",
    ]))?;
    Ok(Measured::limit(
        "server limit: COPY",
        "snapshot",
        rows,
        started.elapsed(),
    ))
}

fn copy_by_several(postgres: &Postgres, rows: u64) -> Outcome<Measured> {
    let share = rows.div_ceil(CONNECTIONS);
    let started = Instant::now();
    let mut copies = Vec::new();
    for part in 0..CONNECTIONS {
        let (from, to) = (part * share, (part + 1) * share);
        let sql = format!("copy (select * from limits where id > {from} and id <= {to}) to stdout");
        let mut psql = Command::new(postgres.program("psql"));
        psql.args(["-q", "-d", &postgres.url(), "-c", &sql]);
        copies.push(psql.stdout(Stdio::null()).spawn()?);
    }
    for mut copy in copies {
        if !copy.wait()?.success() {
            return Err("a COPY of a part failed".into());
        }
    }
    let name = format!("server limit: {CONNECTIONS} COPY");
    let elapsed = started.elapsed();
    Ok(Measured::limit(&name, "parallel snapshot", rows, elapsed))
}

/// The stream of the slot `limits_slot`, which holds so many rows.
pub(crate) fn receive(postgres: &Postgres, rows: u64, scenario: &str) -> Outcome<Measured> {
    let end = postgres.psql("select pg_current_wal_lsn()")?;
    // Something after the end, so that the sender reaches it.
    postgres.psql("select pg_logical_emit_message(true, 'bench', 'end')")?;
    let started = Instant::now();
    run(Command::new(postgres.program("pg_recvlogical")).args([
        "-d",
        &postgres.url(),
        "--slot",
        "limits_slot",
        "--start",
        "-f",
        "/dev/null",
        "--no-loop",
        "-o",
        "proto_version=1",
        "-o",
        "publication_names=limits_publication",
        "--endpos",
        end.trim(),
    ]))?;
    Ok(Measured::limit(
        "server limit: pg_recvlogical",
        scenario,
        rows,
        started.elapsed(),
    ))
}

fn run(command: &mut Command) -> Outcome {
    let status = command.stdout(Stdio::null()).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} ended with {status}").into()),
    }
}
