//! How replication is started.

use std::time::Duration;

use connect_core::Result;

use crate::{
    config::PostgresConfig,
    options::params,
    position::show_lsn,
    wire::{Answer, Connection},
};

/// As configured, but often enough for the server not to take us for dead.
pub(crate) async fn feedback_interval(
    config: &PostgresConfig,
    connection: &mut Connection,
) -> Result<Duration> {
    let configured = config.status_interval.0.max(Duration::from_millis(100));
    let sql = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'";
    let rows = connection.query(sql).await?;
    let limit: u64 = rows.first().and_then(|row| row.number(0)).unwrap_or(0);
    Ok(match limit {
        0 => configured,
        ms => configured.min(Duration::from_millis(ms / 3)),
    })
}

/// When the server sends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Once it is committed. Protocol version 1 on every server: see [`crate::pgoutput`].
    Committed,
    /// While it runs, when it is large and the server is not older than PostgreSQL 14.
    InProgress,
}

/// The statement that starts replication at an LSN.
pub(crate) fn start_replication(
    config: &PostgresConfig,
    (from, sent): (u64, Sent),
    server_version: u32,
) -> String {
    let publication = crate::catalog::quoted(&config.publication).replace('\'', "''");
    let more: String = params(config.slot_stream_params.as_deref())
        .map(|(name, value)| {
            let name = crate::catalog::quoted(name);
            format!(", {name} '{}'", value.replace('\'', "''"))
        })
        .collect();
    let messages = if server_version >= 14 {
        ", messages 'true'"
    } else {
        ""
    };
    let version = match sent {
        Sent::InProgress if server_version >= 14 => "proto_version '2', streaming 'on'",
        Sent::InProgress | Sent::Committed => "proto_version '1'",
    };
    format!(
        "START_REPLICATION SLOT {} LOGICAL {} ({version}, publication_names '{publication}'{messages}{more})",
        crate::catalog::quoted(&config.slot),
        show_lsn(from),
    )
}
