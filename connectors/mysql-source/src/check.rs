//! What a look at the server tells before anything runs: everything that can be found, not the first.

mod rights;
mod server;
mod tables;

use std::collections::BTreeSet;

use cdc::captured::Captured;
use connect_core::{Error, Finding, Result};

use crate::{
    captured, catalog,
    config::MySqlConfig,
    error, foreign,
    task::target,
    wire::{Answer, Connection, Flavor},
};

/// How many names a finding tells.
const MOST_NAMES: usize = 10;

/// Properties without which no server can be asked.
const REACHES: [&str; 5] = ["hostname", "port", "user", "password", "ssl.mode"];

/// Properties that decide which tables there are to look at.
const TABLES: [&str; 6] = [
    "database.include.list",
    "database.exclude.list",
    "table.include.list",
    "table.exclude.list",
    "table.ignore.builtin",
    "signal.data.collection",
];

/// Everything that can be found with a configuration, of which the properties `wrong` were left out.
pub(crate) async fn check(
    config: &MySqlConfig,
    flavor: Flavor,
    wrong: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut findings = foreign::warnings(config);
    let is_needed = |key: &str| wrong.contains(&format!("database.{key}"));
    let Some(captured) = captured::captured(config, &mut Vec::new()) else {
        return findings;
    };
    if REACHES.iter().any(|key| is_needed(key)) {
        return findings;
    }
    let mut connection = match Connection::open(&target(config, flavor)).await {
        Ok(connection) => connection,
        Err(error) => {
            findings.push(unreached(&error));
            return findings;
        }
    };
    let mut look = Look {
        config,
        flavor,
        captured,
        wrong,
        user: String::new(),
        findings,
    };
    if let Err(error) = look.everything(&mut connection).await {
        look.findings.push(unreached(&error));
    }
    connection.close().await;
    look.findings
}

/// A failure, at the property that it is about.
fn unreached(error: &Error) -> Finding {
    let key = match error.code() {
        code if code == &error::AUTHENTICATION => "database.user",
        code if code == &error::TLS => "database.ssl.mode",
        code if code == &error::COMPRESSION => "database.compression",
        _ => "database.hostname",
    };
    Finding::error(key, error.to_string())
}

/// A look at a server.
struct Look<'a> {
    config: &'a MySqlConfig,
    flavor: Flavor,
    captured: Captured,
    wrong: &'a BTreeSet<String>,
    /// The account, quoted as in `GRANT`.
    user: String,
    findings: Vec<Finding>,
}

impl Look<'_> {
    async fn everything(&mut self, connection: &mut Connection) -> Result<()> {
        if !self.family(connection) {
            return Ok(());
        }
        self.user = account(&text(connection, "SELECT CURRENT_USER()").await?);
        self.settings(connection).await?;
        self.rights(connection).await?;
        self.replicas(connection).await?;
        if TABLES.iter().any(|key| self.wrong.contains(*key)) {
            return Ok(());
        }
        let captured = &self.captured;
        let passes = |database: &str, table: &str| captured.table(database, table);
        let tables = catalog::tables(connection, passes).await?;
        self.tables(connection, &tables).await
    }

    fn error(&mut self, key: &str, what: impl Into<String>) {
        self.findings.push(Finding::error(key, what));
    }

    fn warning(&mut self, key: &str, what: impl Into<String>) {
        self.findings.push(Finding::warning(key, what));
    }
}

/// `cdc@%` as `'cdc'@'%'`
fn account(user: &str) -> String {
    match user.rsplit_once('@') {
        Some((name, host)) => format!("{}@{}", catalog::literal(name), catalog::literal(host)),
        None => catalog::literal(user),
    }
}

/// The first value of a query; empty for none.
async fn text(connection: &mut Connection, sql: &str) -> Result<String> {
    let rows = connection.query(sql).await?;
    Ok(rows
        .first()
        .map_or(String::new(), |row| row.text(0).to_owned()))
}

/// The first names, and how many more there are.
fn few(names: impl IntoIterator<Item = String>) -> String {
    let all: Vec<String> = names.into_iter().collect();
    let shown = all.get(..MOST_NAMES).unwrap_or(&all).join(", ");
    match all.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown}, … and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_quoted_and_names_are_few() {
        assert_eq!(account("it's@%"), "'it''s'@'%'");
        let names = |count: usize| few((0..count).map(|n| n.to_string()));
        assert_eq!(names(2), "0, 1");
        assert!(names(12).ends_with("9, … and 2 more"));
    }
}
