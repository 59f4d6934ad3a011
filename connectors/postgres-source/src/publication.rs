//! The publication: which tables the server sends.

use connect_core::{Error, Result};

use crate::{
    catalog::{TableInfo, literal, quoted},
    config::{Autocreate, PostgresConfig},
    error,
    wire::{Answer, Connection},
};

/// Sees to it that the publication is there, as `publication.autocreate.mode` says. Before the slot: a slot cannot
/// decode what was written before its publication existed.
pub(crate) async fn ensure(
    connection: &mut Connection,
    config: &PostgresConfig,
    captured: &[TableInfo],
) -> Result<()> {
    let sql = format!(
        "SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = {}",
        literal(&config.publication)
    );
    let found = connection
        .query(&sql)
        .await?
        .first()
        .map(|row| row.is_true(0));
    match (found, config.autocreate) {
        (Some(all_tables), Autocreate::Filtered) => {
            refresh(connection, config, captured, all_tables).await
        }
        (Some(_), _) => Ok(()),
        (None, Autocreate::Disabled) => Err(missing(config)),
        (None, mode) => create(connection, config, captured, mode).await,
    }
}

fn missing(config: &PostgresConfig) -> Error {
    Error::new(
        &error::PUBLICATION_MISSING,
        "the publication does not exist",
    )
    .context("publication", &config.publication)
}

async fn create(
    connection: &mut Connection,
    config: &PostgresConfig,
    captured: &[TableInfo],
    mode: Autocreate,
) -> Result<()> {
    let standby = connection
        .query("SELECT pg_catalog.pg_is_in_recovery()")
        .await?;
    if standby.first().is_some_and(|row| row.is_true(0)) {
        return Err(missing(config).context("hint", "create it on the primary"));
    }
    let tables = match mode {
        Autocreate::AllTables => " FOR ALL TABLES".to_owned(),
        Autocreate::Filtered => format!(" FOR TABLE {}", list(captured, config)?),
        Autocreate::NoTables | Autocreate::Disabled => String::new(),
    };
    let root = if config.via_partition_root {
        " WITH (publish_via_partition_root = true)"
    } else {
        ""
    };
    let name = quoted(&config.publication);
    connection
        .execute(&format!("CREATE PUBLICATION {name}{tables}{root}"))
        .await?;
    tracing::info!(publication = %config.publication, mode = mode.text(), "publication created");
    Ok(())
}

/// Brings a `FOR TABLE` publication up to date with the filters.
async fn refresh(
    connection: &mut Connection,
    config: &PostgresConfig,
    captured: &[TableInfo],
    all_tables: bool,
) -> Result<()> {
    if all_tables {
        let what =
            "the publication is FOR ALL TABLES, and `publication.autocreate.mode` is `filtered`";
        return Err(Error::new(&error::PUBLICATION_FOREIGN, what)
            .context("publication", &config.publication));
    }
    let sql = format!(
        "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), r.prrelid \
         FROM pg_catalog.pg_publication_rel r \
         JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {}",
        literal(&config.publication)
    );
    let rows = connection.query(&sql).await?;
    let mut published: Vec<u32> = rows.iter().filter_map(|row| row.number(1)).collect();
    let mut wanted: Vec<u32> = captured.iter().map(|table| table.oid).collect();
    published.sort_unstable();
    wanted.sort_unstable();
    if published == wanted {
        return Ok(());
    }
    let (name, tables) = (quoted(&config.publication), list(captured, config)?);
    connection
        .execute(&format!("ALTER PUBLICATION {name} SET TABLE {tables}"))
        .await?;
    tracing::info!(publication = %config.publication, tables = wanted.len(), "publication updated");
    Ok(())
}

fn list(captured: &[TableInfo], config: &PostgresConfig) -> Result<String> {
    if captured.is_empty() {
        let what = "no table passes the filters, so that a filtered publication would be empty";
        return Err(Error::new(&error::PUBLICATION_MISSING, what)
            .context("publication", &config.publication));
    }
    Ok(captured
        .iter()
        .map(TableInfo::sql_name)
        .collect::<Vec<_>>()
        .join(", "))
}
