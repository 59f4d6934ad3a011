//! What a slot holds, looked at without taking it (`pg_logical_slot_peek_binary_changes`).
//!
//! Of pgoutput's messages only the heads are looked at, on the server: `B` is followed by the LSN of the commit and its time, `I`, `U` and `D` by the
//! relation (<https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>). Bytes compare as the numbers that they are.

use connect_core::Result;

use crate::{
    captured::Captured,
    catalog::literal,
    config::PostgresConfig,
    error,
    position::show_lsn,
    temporal::POSTGRES_EPOCH_US,
    wire::{Answer, Connection},
};

/// Invariant 4: the server decodes no more of its log for it than this.
const MOST_BYTES: u64 = 256 << 20;

/// A transaction: the LSN of its commit, and its time in microseconds since 2000-01-01.
pub(super) type Found = (u64, i64);

/// A look at a slot.
pub(super) struct Peek<'a> {
    config: &'a PostgresConfig,
    until: u64,
}

impl<'a> Peek<'a> {
    /// Up to a position, before which nothing of it lies; says why not when that is too far from where the server has to begin.
    pub(super) fn of(
        config: &'a PostgresConfig,
        restart: u64,
        until: u64,
    ) -> std::result::Result<Self, String> {
        let bytes = until.saturating_sub(restart);
        if bytes > MOST_BYTES {
            return Err(format!(
                "{bytes} bytes of the server's log would have to be decoded for it, and {MOST_BYTES} are the most"
            ));
        }
        Ok(Self { config, until })
    }

    /// The first transaction that comes from an LSN on, and the first that was committed at a time or later.
    pub(super) async fn first_since(
        &self,
        since: u64,
        us: i64,
        connection: &mut Connection,
    ) -> Result<(Option<Found>, Option<Found>)> {
        let all = self.messages();
        let begun = format!(
            "t AS (SELECT at, ts FROM m WHERE {})",
            self.is_begin_from(since)
        );
        let sql = format!(
            "WITH {all}, {begun} (SELECT 1, encode(at, 'hex'), encode(ts, 'hex') FROM t ORDER BY at LIMIT 1) UNION ALL \
             (SELECT 2, encode(at, 'hex'), encode(ts, 'hex') FROM t WHERE ts >= '\\x{:016x}' ORDER BY at LIMIT 1)",
            us.max(0)
        );
        let rows = connection.query(&sql).await?;
        let mut found = (None, None);
        for row in &rows {
            let numbers = number(row.text(1)).zip(number(row.text(2)));
            let (lsn, us) = numbers.ok_or_else(|| error::protocol("a slot tells no LSN"))?;
            let of = Some((lsn, us.cast_signed()));
            match row.text(0) {
                "1" => found.0 = of,
                _ => found.1 = of,
            }
        }
        Ok(found)
    }

    /// How many transactions come from an LSN on, how many rows of captured tables, and the time of the first in microseconds since 1970-01-01.
    pub(super) async fn count(
        &self,
        from: u64,
        captured: &Captured,
        connection: &mut Connection,
    ) -> Result<(u64, u64, Option<i64>)> {
        let all = self.messages();
        let sql = format!(
            "WITH {all}, t AS (SELECT xid, ts, at FROM m WHERE {}), \
             r AS (SELECT rel, count(*) AS n FROM m WHERE kind IN (68, 73, 85) AND xid IN (SELECT xid FROM t) GROUP BY rel) \
             SELECT '', '', (SELECT count(*) FROM t), (SELECT encode(ts, 'hex') FROM t ORDER BY at LIMIT 1) UNION ALL \
             SELECT n.nspname, c.relname, r.n, '' FROM r \
             JOIN pg_catalog.pg_class c ON c.oid = ('x' || encode(r.rel, 'hex'))::bit(32)::bigint::oid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
            self.is_begin_from(from)
        );
        let rows = connection.query(&sql).await?;
        let (mut transactions, mut records, mut first) = (0, 0, None);
        for row in &rows {
            let count: u64 = row.number(2).unwrap_or(0);
            match (row.text(0), row.text(1)) {
                ("", "") => {
                    transactions = count;
                    let us = number(row.text(3)).map(u64::cast_signed);
                    first = us.map(|us| us + POSTGRES_EPOCH_US);
                }
                (schema, table) if captured.table(schema, table) => records += count,
                _ => {}
            }
        }
        Ok((transactions, records, first))
    }

    fn messages(&self) -> String {
        let publication = literal(&crate::catalog::quoted(&self.config.publication));
        format!(
            "m AS MATERIALIZED (SELECT xid::text AS xid, get_byte(data, 0) AS kind, substr(data, 2, 8) AS at, substr(data, 10, 8) AS ts, \
             substr(data, 2, 4) AS rel FROM pg_catalog.pg_logical_slot_peek_binary_changes({}, '{}', NULL, \
             'proto_version', '1', 'publication_names', {publication}))",
            literal(&self.config.slot),
            show_lsn(self.until)
        )
    }

    fn is_begin_from(&self, from: u64) -> String {
        format!(
            "kind = 66 AND at >= '\\x{from:016x}' AND at < '\\x{:016x}'",
            self.until
        )
    }
}

fn number(hex: &str) -> Option<u64> {
    u64::from_str_radix(hex, 16).ok()
}
