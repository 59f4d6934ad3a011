//! One connector under Kafka Connect with Debezium and under Tidewater by turns, on the same internal topics and the same
//! place in the database's log, while its table is written to: nothing is lost, nothing comes twice.

use differential::turns::{Handed, Leave, by_turns, is_checked};
use e2e::{Outcome, is_long};
use stack::{MysqlOptions, MysqlVersion, PgVersion, Server, Stack};

fn turns<D: Handed>(leave: Leave, database: fn(&Stack) -> stack::Result<D>) -> Outcome {
    if !is_checked() {
        return Ok(());
    }
    let stack = Stack::new()?;
    by_turns(&stack, &database(&stack)?, leave)
}

/// The same, only when the suite is asked for.
fn long_turns<D: Handed>(leave: Leave, database: fn(&Stack) -> stack::Result<D>) -> Outcome {
    match is_long() {
        true => turns(leave, database),
        false => Ok(()),
    }
}

fn mysql_without_gtids(stack: &Stack) -> stack::Result<stack::Mysql> {
    let options = MysqlOptions::new(MysqlVersion::V97)
        .set("binlog_row_metadata", "MINIMAL")
        .set("gtid_mode", "OFF")
        .set("enforce_gtid_consistency", "OFF");
    stack.mysql_with(options)
}

#[test]
fn postgres_workers_that_stop_lose_and_double_nothing() -> Outcome {
    turns(Server::stop, |stack| stack.postgres(PgVersion::V15))
}

#[test]
fn postgres_workers_that_are_killed_lose_and_double_nothing() -> Outcome {
    turns(Server::kill9, |stack| stack.postgres(PgVersion::V15))
}

#[test]
fn mysql_workers_that_stop_lose_and_double_nothing() -> Outcome {
    long_turns(Server::stop, |stack| stack.mysql(MysqlVersion::V97))
}

#[test]
fn mysql_workers_that_are_killed_lose_and_double_nothing() -> Outcome {
    turns(Server::kill9, |stack| stack.mysql(MysqlVersion::V97))
}

#[test]
fn mysql_workers_without_gtids_that_stop_lose_and_double_nothing() -> Outcome {
    turns(Server::stop, mysql_without_gtids)
}

#[test]
fn mysql_workers_without_gtids_that_are_killed_lose_and_double_nothing() -> Outcome {
    long_turns(Server::kill9, mysql_without_gtids)
}

#[test]
fn mariadb_workers_that_stop_lose_and_double_nothing() -> Outcome {
    turns(Server::stop, |stack| stack.mysql(MysqlVersion::Mariadb118))
}

#[test]
fn mariadb_workers_that_are_killed_lose_and_double_nothing() -> Outcome {
    long_turns(Server::kill9, |stack| stack.mysql(MysqlVersion::Mariadb118))
}
