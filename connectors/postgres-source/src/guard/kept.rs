//! What a slot keeps, and why.

use connect_core::Result;

use crate::{
    catalog::literal,
    wire::{Answer, Connection, Row},
};

/// What a slot keeps of the server's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Bytes that the server keeps for it.
    pub retained: i64,
    /// Bytes that have not been confirmed.
    pub unconfirmed: i64,
    /// Bytes that can be written before the slot is in danger of being invalidated; `None` without a limit.
    pub safe: Option<i64>,
    /// The server's process that somebody reads it with.
    pub reader: Option<i64>,
    /// `reserved`, `extended`, `unreserved` or `lost`; empty before PostgreSQL 13.
    pub status: String,
}

impl Kept {
    /// Asks the server; `None` when there is no such slot.
    pub(super) async fn of(connection: &mut Connection, slot: &str) -> Result<Option<Self>> {
        let newer = match connection.server_version() {
            13.. => "s.wal_status, s.safe_wal_size",
            _ => "NULL, NULL",
        };
        let sql = format!(
            "SELECT pg_catalog.pg_wal_lsn_diff(now.lsn, s.restart_lsn)::bigint, \
             pg_catalog.pg_wal_lsn_diff(now.lsn, s.confirmed_flush_lsn)::bigint, s.active_pid, {newer} \
             FROM pg_catalog.pg_replication_slots s, \
             (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
              ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) now WHERE s.slot_name = {}",
            literal(slot)
        );
        Ok(connection.query(&sql).await?.first().map(read))
    }

    /// Whether the server is about to take the log away from the slot, or has done it.
    pub(super) fn is_endangered(&self) -> bool {
        matches!(self.status.as_str(), "unreserved" | "lost")
    }

    /// Why it keeps so much, and what can be done.
    pub(super) async fn cause(&self, connection: &mut Connection) -> Result<String> {
        if self.reader.is_none() {
            return Ok(
                "nobody reads it. Resume or restart the connector, or delete it and drop the slot"
                    .to_owned(),
            );
        }
        if self.unconfirmed > self.retained / 2 {
            return Ok("it is read more slowly than the database is written to. Look at the connector's tasks, its \
                 metrics and the Kafka cluster"
                .to_owned());
        }
        let oldest = oldest_transaction(connection).await?;
        let whose = oldest.unwrap_or_else(|| "a transaction that has just ended".to_owned());
        Ok(format!(
            "the server needs it for {whose}. End transactions that stay open"
        ))
    }

    /// The sentence for people.
    pub(super) fn notice(&self, slot: &str, limit: i64, cause: &str) -> String {
        let kept = readable(self.retained);
        let limit = match limit {
            0 => String::new(),
            limit => format!(" (`slot.max.retained.wal.bytes` is {})", readable(limit)),
        };
        let danger = match self.status.as_str() {
            "lost" => {
                " The server has removed log that the slot needs: it cannot be read any more."
            }
            "unreserved" => {
                " The server will remove log that the slot needs at its next checkpoint."
            }
            _ => "",
        };
        format!("The slot {slot} keeps {kept} of the server's log{limit}, since {cause}.{danger}")
    }
}

fn read(row: &Row) -> Kept {
    Kept {
        retained: row.number(0).unwrap_or(0),
        unconfirmed: row.number(1).unwrap_or(0),
        reader: row.number(2),
        status: row.text(3).to_owned(),
        safe: row.number(4),
    }
}

/// Whose transaction is the oldest that writes.
async fn oldest_transaction(connection: &mut Connection) -> Result<Option<String>> {
    let sql = "SELECT 'the open transaction of process ' || pid, xact_start FROM pg_catalog.pg_stat_activity \
        WHERE backend_xid IS NOT NULL AND datname = current_database() AND xact_start IS NOT NULL \
        UNION ALL SELECT 'the prepared transaction ' || quote_literal(gid), prepared FROM pg_catalog.pg_prepared_xacts \
        ORDER BY 2 LIMIT 1";
    let rows = connection.query(sql).await?;
    Ok(rows.first().map(|row| {
        let (whose, since) = (row.text(0), row.text(1));
        format!("{whose}, which began at {since}")
    }))
}

/// Bytes for people.
fn readable(bytes: i64) -> String {
    const UNITS: [(&str, f64); 3] = [
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("KiB", 1024.0),
    ];
    let amount = bytes as f64;
    let unit = UNITS.iter().find(|(_, size)| amount >= *size);
    match unit {
        Some((name, size)) => format!("{:.1} {name}", amount / size),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        let shown = [0, 1023, 1 << 20, 5_368_709_120].map(readable);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.0 MiB", "5.0 GiB"]);
    }
}
