//! What a look at the server tells before anything runs: everything that can be found, not the first.

use std::collections::BTreeSet;

use connect_core::{Finding, Result};

use crate::{
    captured, catalog,
    config::MySqlConfig,
    foreign,
    task::target,
    wire::{Answer, Connection, Flavor},
};

/// Everything that can be found with a configuration, of which the properties `wrong` were left out.
pub(crate) async fn check(
    config: &MySqlConfig,
    flavor: Flavor,
    wrong: &BTreeSet<String>,
) -> Vec<Finding> {
    let reaches = ["hostname", "port", "user", "password", "ssl.mode"];
    if reaches
        .iter()
        .any(|key| wrong.contains(&format!("database.{key}")))
    {
        return Vec::new();
    }
    let mut findings = foreign::warnings(config);
    let connection = Connection::open(&target(config, flavor)).await;
    let looked = match connection {
        Ok(mut connection) => {
            let looked = look(config, flavor, &mut connection, &mut findings).await;
            connection.close().await;
            looked
        }
        Err(error) => Err(error),
    };
    if let Err(error) = looked {
        findings.push(Finding::error("database.hostname", error.to_string()));
    }
    findings
}

async fn look(
    config: &MySqlConfig,
    flavor: Flavor,
    connection: &mut Connection,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    if connection.server().flavor != flavor {
        let what = "The server is of the other family: use the connector class of MySQL for MySQL, of MariaDB for MariaDB";
        findings.push(Finding::error("connector.class", what));
    }
    for (name, good, needed) in [
        ("log_bin", "ON", true),
        ("binlog_format", "ROW", true),
        ("binlog_row_image", "FULL", false),
        ("binlog_row_metadata", "FULL", false),
    ] {
        let sql = format!("SHOW GLOBAL VARIABLES LIKE '{name}'");
        let rows = connection.query(&sql).await?;
        let value = rows.first().map_or("", |row| row.text(1));
        if value.eq_ignore_ascii_case(good) || (!needed && value.is_empty()) {
            continue;
        }
        let what = format!("The server has {name}={value}: set {name}={good} in its configuration");
        findings.push(match needed {
            true => Finding::error("database.hostname", what),
            false => Finding::warning("database.hostname", what),
        });
    }
    let Some(captured) = captured::captured(config, &mut Vec::new()) else {
        return Ok(());
    };
    let tables = catalog::tables(connection, |database, table| {
        captured.table(database, table)
    });
    if tables.await?.is_empty() {
        let what = "No table of the server passes the lists, or the user may not see any";
        findings.push(Finding::warning("table.include.list", what));
    }
    Ok(())
}
