//! The database: one table of seven columns, filled by the server itself. Each kind does it in its own way.

mod mysql;
mod postgres;

use std::process::Child;

use e2e::Outcome;
use postgres::PostgresDatabase;
use serde_json::Value;
use stack::{MysqlVersion, PgVersion, Stack};

use crate::{
    report::Measured,
    workload::{Dialect, Workload},
};

/// Rows of one transaction of the backlog.
const ROWS_PER_TRANSACTION: u64 = 1000;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// PostgreSQL 15.
    Postgres,
    /// PostgreSQL 18, whose connectors may call `pg_log_standby_snapshot`.
    Postgres18,
    /// MySQL 9.7.
    Mysql,
    /// MariaDB 11.8.
    Mariadb,
}

impl Source {
    /// By its name on the command line.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "postgres" => Some(Self::Postgres),
            "postgres18" => Some(Self::Postgres18),
            "mysql" => Some(Self::Mysql),
            "mariadb" => Some(Self::Mariadb),
            _ => None,
        }
    }

    /// Starts a server, set up as a production server would be, with fsync on.
    pub(crate) fn start(self, stack: &Stack) -> Outcome<Box<dyn Database>> {
        Ok(match self {
            Self::Postgres => Box::new(PostgresDatabase::start(stack, PgVersion::V15)?),
            Self::Postgres18 => {
                let server = PostgresDatabase::start(stack, PgVersion::V18)?;
                let call = "function pg_log_standby_snapshot()";
                server.sql(&format!("grant execute on {call} to {}", stack::USER))?;
                Box::new(server)
            }
            Self::Mysql => Box::new(mysql::MysqlDatabase::start(stack, MysqlVersion::V97)?),
            Self::Mariadb => Box::new(mysql::MysqlDatabase::start(
                stack,
                MysqlVersion::Mariadb118,
            )?),
        })
    }
}

/// A running database server.
pub(crate) trait Database {
    /// Runs SQL as a superuser.
    fn sql(&self, sql: &str) -> Outcome;

    /// A table as `table.include.list` and topics name it: `public.NAME`.
    fn table(&self, name: &str) -> String;

    /// A new, empty table under this name, ready to be captured by the connector of this name.
    fn create_table(&self, name: &str) -> Outcome;

    /// Drops that table.
    fn drop_table(&self, name: &str) -> Outcome;

    /// The schema `w` anew, with these tables and `w.marker`, ready to be captured by the connector of this name.
    fn fresh_schema(&self, name: &str, tables: &str) -> Outcome;

    /// Inserts rows in transactions of a thousand.
    fn fill(&self, name: &str, rows: u64) -> Outcome;

    /// Inserts rows in one transaction.
    fn fill_at_once(&self, name: &str, rows: u64) -> Outcome;

    /// Inserts one row with a text of 20 MB.
    fn fill_large(&self, name: &str) -> Outcome;

    /// A client that commits one row each millisecond.
    fn write_steadily(&self, name: &str, rows: u64) -> Outcome<Child>;

    /// Finds in a record in JSON when its change was committed, in microseconds by the server's clock, which is this machine's.
    fn commit_us(&self) -> fn(&str) -> Option<u64>;

    /// Makes the server write out what it holds, so that no scenario pays for the one before.
    fn settle(&self) -> Outcome;

    /// The configuration of a source connector for some tables, the same for all tools.
    fn source(&self, name: &str, tables: &str, bootstrap: &str) -> Value;

    /// Waits until the stream of a connector is read, or is no more.
    fn await_reader(&self, name: &str, reads: bool) -> Outcome;

    /// Drops what the server keeps for a connector, once it is let go.
    fn forget(&self, name: &str) -> Outcome;

    /// What the server gives a client that throws everything away.
    fn limits(&self, rows: u64) -> Outcome<Vec<Measured>>;

    /// The same for the stream of a workload.
    fn stream_limit(&self, workload: &Workload) -> Outcome<Measured>;

    /// Its SQL for workloads.
    fn dialect(&self) -> Box<dyn Dialect>;
}

/// `source.ts_us`.
fn source_us(record: &str) -> Option<u64> {
    number_after(record.rsplit("\"source\":{").next()?, "\"ts_us\":")
}

/// The number after a name in JSON.
fn number_after(json: &str, name: &str) -> Option<u64> {
    let text = json.split(name).nth(1)?;
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_commit_time_is_that_of_the_source_block() {
        let record = r#"{"before":null,"after":{"ts_us":1},"source":{"version":"x","ts_ms":5,"ts_us":5123,"ts_ns":5123000},"ts_us":9}"#;
        assert_eq!(super::source_us(record), Some(5123));
    }
}
