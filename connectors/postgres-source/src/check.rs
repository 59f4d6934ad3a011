//! What a look at the server tells before anything runs.

use connect_core::{Finding, Result};

use crate::{
    captured::Captured,
    catalog::{self, TableInfo, Which, literal},
    config::{Autocreate, PostgresConfig},
    foreign,
    options::Policy,
    slot::Slot,
    task,
    wire::{Answer, Connection, Purpose},
};

/// Everything that can be found, not the first.
pub(crate) async fn check(config: &PostgresConfig) -> Vec<Finding> {
    let mut findings = foreign::warnings(&config.rest);
    let Some(captured) = Captured::new(config, &mut findings) else {
        return findings;
    };
    let target = task::target(config);
    let mut connection = match Connection::open(&target, Purpose::Query).await {
        Ok(connection) => connection,
        Err(error) => {
            findings.push(Finding::error(key_of(&error), sentence(&error)));
            return findings;
        }
    };
    let looked = look(&mut connection, config, &captured, &mut findings).await;
    connection.close().await;
    if let Err(error) = looked {
        findings.push(Finding::error(key_of(&error), sentence(&error)));
    }
    findings
}

fn sentence(error: &connect_core::Error) -> String {
    format!("{error}. {}", error.code().remedy)
}

fn key_of(error: &connect_core::Error) -> &'static str {
    match error.code().name {
        "postgres.authentication" => "database.user",
        "postgres.tls" => "database.sslmode",
        "postgres.connection" => "database.hostname",
        "postgres.slot_active" | "postgres.slot_lost" | "postgres.slot_foreign" => "slot.name",
        _ => "",
    }
}

async fn look(
    connection: &mut Connection,
    config: &PostgresConfig,
    captured: &Captured,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    if connection.server_version() < 12 {
        findings.push(Finding::error(
            "database.hostname",
            "PostgreSQL 12 or newer is needed",
        ));
        return Ok(());
    }
    let streams = Policy::of(config).streams;
    if streams {
        settings(connection, findings).await?;
        rights(connection, findings).await?;
        slot(connection, config, findings).await?;
    }
    let tables = catalog::tables(connection, Which::Captured(captured, config)).await?;
    if tables.is_empty() {
        let what = "No table passes the filters; tables made later are captured when they do";
        findings.push(Finding::warning("table.include.list", what));
    }
    identities(&tables, findings);
    readable(connection, &tables, findings).await?;
    if streams {
        publication(connection, config, &tables, findings).await?;
    }
    Ok(())
}

async fn settings(connection: &mut Connection, findings: &mut Vec<Finding>) -> Result<()> {
    let sql = "SELECT current_setting('wal_level'), current_setting('server_encoding'), \
        current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_catalog.pg_replication_slots), \
        current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_catalog.pg_stat_replication)";
    let rows = connection.query(sql).await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    if row.text(0) != "logical" {
        let remedy = crate::error::WAL_LEVEL.remedy;
        findings.push(Finding::error(
            "",
            format!("wal_level is {}. {remedy}", row.text(0)),
        ));
    }
    if row.text(1) == "SQL_ASCII" {
        let what =
            "The database's encoding is SQL_ASCII: text that is not UTF-8 will stop the task";
        findings.push(Finding::warning("database.dbname", what));
    }
    let free = |at: usize| row.number::<i64>(at).unwrap_or(1);
    if free(2) <= 0 {
        findings.push(Finding::warning(
            "slot.name",
            "All replication slots of the server are taken",
        ));
    }
    if free(3) <= 0 {
        findings.push(Finding::warning(
            "slot.name",
            "All WAL senders of the server are busy",
        ));
    }
    Ok(())
}

async fn rights(connection: &mut Connection, findings: &mut Vec<Finding>) -> Result<()> {
    let sql = "SELECT rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_catalog.pg_roles r \
        WHERE r.rolname IN ('rds_replication', 'rds_superuser', 'cloudsqlsuperuser') \
        AND pg_catalog.pg_has_role(r.oid, 'member')) \
        FROM pg_catalog.pg_roles WHERE rolname = current_user";
    let rows = connection.query(sql).await?;
    if !rows.first().is_some_and(|row| row.is_true(0)) {
        let what = "The user has no REPLICATION right: `ALTER ROLE … REPLICATION`";
        findings.push(Finding::error("database.user", what));
    }
    Ok(())
}

async fn slot(
    connection: &mut Connection,
    config: &PostgresConfig,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let Some(slot) = Slot::find(connection, &config.slot).await? else {
        return Ok(());
    };
    if let Err(error) = slot.judge(config, None) {
        findings.push(Finding::error("slot.name", sentence(&error)));
    }
    if slot.active {
        let what = "Somebody reads the slot at this moment (perhaps this connector)";
        findings.push(Finding::warning("slot.name", what));
    }
    Ok(())
}

fn identities(tables: &[TableInfo], findings: &mut Vec<Finding>) {
    for table in tables {
        let keyless = table.replica_identity == b'd' && !table.has_primary_key;
        if keyless || table.replica_identity == b'n' {
            let name = table.full_name();
            findings.push(Finding::warning(
                "table.include.list",
                format!(
                    "{name} has no replica identity: the server will refuse updates and deletes of it once it is \
                     published. Give it a primary key, or `ALTER TABLE {name} REPLICA IDENTITY FULL`"
                ),
            ));
        }
    }
}

async fn readable(
    connection: &mut Connection,
    tables: &[TableInfo],
    findings: &mut Vec<Finding>,
) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
    let sql = format!(
        "SELECT c.oid::regclass FROM pg_catalog.pg_class c WHERE c.oid IN ({}) \
         AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'))",
        oids.join(",")
    );
    for row in connection.query(&sql).await? {
        let what = format!(
            "The user may not read {}: `GRANT SELECT ON … TO …`",
            row.text(0)
        );
        findings.push(Finding::error("database.user", what));
    }
    Ok(())
}

async fn publication(
    connection: &mut Connection,
    config: &PostgresConfig,
    tables: &[TableInfo],
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let name = literal(&config.publication);
    let sql = format!("SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = {name}");
    let found = connection
        .query(&sql)
        .await?
        .first()
        .map(|row| row.is_true(0));
    match (found, config.autocreate) {
        (None, Autocreate::Disabled) => {
            let remedy = crate::error::PUBLICATION_MISSING.remedy;
            findings.push(Finding::error(
                "publication.name",
                format!("The publication does not exist. {remedy}"),
            ));
        }
        (None, Autocreate::AllTables) => superuser(connection, findings).await?,
        (Some(false), Autocreate::Filtered) | (None | Some(true), _) => {}
        (Some(false), _) => unpublished(connection, config, tables, findings).await?,
    }
    Ok(())
}

async fn superuser(connection: &mut Connection, findings: &mut Vec<Finding>) -> Result<()> {
    let rows = connection
        .query("SELECT current_setting('is_superuser') = 'on'")
        .await?;
    if !rows.first().is_some_and(|row| row.is_true(0)) {
        let what = "Only a superuser can create a publication FOR ALL TABLES: choose `filtered`, or create it by hand";
        findings.push(Finding::error("publication.autocreate.mode", what));
    }
    Ok(())
}

/// Captured tables whose changes will never come.
async fn unpublished(
    connection: &mut Connection,
    config: &PostgresConfig,
    tables: &[TableInfo],
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let sql = format!(
        "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = {}",
        literal(&config.publication)
    );
    let rows = connection.query(&sql).await?;
    for table in tables {
        let listed = rows
            .iter()
            .any(|r| r.text(0) == table.schema && r.text(1) == table.name);
        if !listed {
            let what = format!(
                "{} is captured but not in the publication {}, so its changes will not come",
                table.full_name(),
                config.publication
            );
            findings.push(Finding::warning("publication.name", what));
        }
    }
    Ok(())
}
