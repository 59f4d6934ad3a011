//! What a look at the server tells before anything runs: everything that can be found, not the first.

mod publication;
mod reach;
mod server;
mod slot;
mod tables;

use std::collections::BTreeSet;

use cdc::options::Policy;
use connect_core::{Finding, Result};

use crate::{
    captured::Captured,
    catalog::{self, TableInfo, Which},
    config::PostgresConfig,
    foreign,
    options::policy,
    task::initial_statements,
    wire::Connection,
};

/// How many names a finding tells.
const MOST_NAMES: usize = 10;

/// Properties that decide which tables there are to look at.
const TABLES: [&str; 8] = [
    "schema.include.list",
    "schema.exclude.list",
    "table.include.list",
    "table.exclude.list",
    "table.ignore.builtin",
    "publish.via.partition.root",
    "snapshot.include.collection.list",
    "signal.data.collection",
];

/// Everything that can be found with a configuration, of which the properties `wrong` are known to be wrong already, and
/// were left out.
pub(crate) async fn check(config: &PostgresConfig, wrong: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = foreign::warnings(&config.rest);
    let Some(captured) = Captured::new(config, &mut findings) else {
        return findings;
    };
    if wrong.iter().any(|key| reach::is_needed(key)) {
        return findings;
    }
    reach::files(config, &mut findings);
    let Some(mut connection) = reach::connect(config, &mut findings).await else {
        return findings;
    };
    let mut look = Look {
        config,
        captured,
        wrong,
        policy: policy(config),
        server: server::Facts::default(),
        slot: slot::State::default(),
        findings,
    };
    if let Err(error) = look.everything(&mut connection).await {
        look.findings.push(reach::finding(config, &error));
    }
    connection.close().await;
    look.findings
}

/// A look at a server.
struct Look<'a> {
    config: &'a PostgresConfig,
    captured: Captured,
    wrong: &'a BTreeSet<String>,
    policy: Policy,
    server: server::Facts,
    slot: slot::State,
    findings: Vec<Finding>,
}

impl Look<'_> {
    async fn everything(&mut self, connection: &mut Connection) -> Result<()> {
        for statement in initial_statements(self.config) {
            if let Err(error) = connection.execute(&statement).await {
                let what = format!("A statement fails: {error}");
                self.error("database.initial.statements", what);
            }
        }
        if !self.server(connection).await? {
            return Ok(());
        }
        if self.policy.streams {
            self.slot(connection).await?;
            self.walsender().await;
        }
        if self.are_known(&TABLES) {
            let which = Which::Captured(&self.captured, self.config);
            let tables = catalog::tables(connection, which).await?;
            // What fails here does not hide what can be found there.
            let looked = self.tables(connection, &tables).await;
            self.publication(connection, &tables).await?;
            return looked;
        }
        Ok(())
    }

    /// Whether none of these properties is wrong.
    fn are_known(&self, keys: &[&str]) -> bool {
        !keys.iter().any(|key| self.wrong.contains(*key))
    }

    fn error(&mut self, key: &str, what: impl Into<String>) {
        self.findings.push(Finding::error(key, what));
    }

    fn warning(&mut self, key: &str, what: impl Into<String>) {
        self.findings.push(Finding::warning(key, what));
    }
}

/// The first names, and how many more there are.
fn names<'t>(tables: impl IntoIterator<Item = &'t TableInfo>) -> String {
    few(tables.into_iter().map(TableInfo::full_name), ", ")
}

/// A statement for each of the first tables, and how many more there are.
fn statements<'t>(
    tables: impl IntoIterator<Item = &'t TableInfo>,
    statement: impl Fn(&str) -> String,
) -> String {
    let each = tables
        .into_iter()
        .map(|table| statement(&table.table_name()));
    few(each, "; ")
}

fn few(items: impl Iterator<Item = String>, between: &str) -> String {
    let all: Vec<String> = items.collect();
    let shown = all.get(..MOST_NAMES).unwrap_or(&all).join(between);
    match all.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown}{between}… and {more} more"),
    }
}
