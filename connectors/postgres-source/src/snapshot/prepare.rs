//! What a snapshot has to know before its first row is read.

use std::sync::Arc;

use cdc::snapshot::{Plan, Progress, Report};
use connect_core::Result;

use super::{Planned, moment};
use crate::{
    catalog::literal,
    change::ChangeWriter,
    error,
    options::Isolation,
    position::{Place, parse_lsn},
    temporal::{POSTGRES_EPOCH_US, postgres_micros_now},
    wire::{Answer, Connection},
};

/// A snapshot whose transaction is open.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The tables that have yet to be read, or the rest of them.
    pub(super) plan: Vec<Planned>,
    /// Where the task stands; its progress is set.
    pub(super) place: Place,
    /// As of when.
    pub(super) moment: Moment,
    /// The last table of the plan that has rows: its last row is the last of all.
    pub(super) last_with_rows: usize,
    /// Who tells of it.
    pub(super) report: Report,
}

/// As of when a snapshot is, as its records show it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    xid: Option<i64>,
    /// The place in the server's log.
    pub(super) lsn: u64,
    taken_us: i64,
}

impl Moment {
    /// A writer of rows as of then.
    pub(super) fn writer(&self) -> ChangeWriter {
        let mut writer = ChangeWriter::new(false);
        writer.begin_snapshot(self.xid, self.lsn, self.taken_us);
        writer
    }
}

/// Opens the transaction: of an exported snapshot, or as of now. The tables are given by [`Prepared::new`],
/// which must see them in this same transaction.
pub(crate) async fn begin(
    connection: &mut Connection,
    isolation: Isolation,
    exported: Option<&str>,
) -> Result<()> {
    let begin = "BEGIN ISOLATION LEVEL";
    let one_moment = format!("{begin} REPEATABLE READ, READ ONLY");
    let sql = match (exported, isolation) {
        (Some(name), _) => {
            let name = literal(name);
            format!("{one_moment}; SET TRANSACTION SNAPSHOT {name}")
        }
        (None, Isolation::ReadCommitted | Isolation::ReadUncommitted) => {
            format!("{begin} READ COMMITTED, READ ONLY")
        }
        // A standby knows no serial order.
        (None, Isolation::Serializable) if !moment::is_standby(connection).await? => {
            format!("{begin} SERIALIZABLE, READ ONLY, DEFERRABLE")
        }
        (None, Isolation::Serializable | Isolation::RepeatableRead) => one_moment,
    };
    connection.execute(&sql).await
}

impl Prepared {
    /// A snapshot of `plan` (ordered by schema and table), going on from `place.snapshot` if that is set. It is as of
    /// the place itself if that is where the snapshot was exported.
    pub(crate) async fn new(
        connection: &mut Connection,
        mut plan: Vec<Planned>,
        mut place: Place,
        exported: bool,
        mut report: Report,
    ) -> Result<Self> {
        let progress = place.snapshot.get_or_insert_default();
        let (all, rows) = (oids(&plan), progress.rows);
        plan.retain(|planned| progress.misses(&planned.info.schema, &planned.info.name));
        let (xid, now_lsn) = shown_moment(connection).await?;
        let last_with_rows = Box::pin(last_with_rows(connection, &plan)).await?;
        place.ts_us = postgres_micros_now() + POSTGRES_EPOCH_US;
        let left = plan.iter().map(|planned| planned.info.full_name());
        let left: Vec<String> = left.collect();
        let estimate = estimate(connection, &all).await?;
        report.begin(all.len(), &left, (estimate, rows));
        let lsn = match exported {
            true => place.at.commit_lsn,
            false => now_lsn,
        };
        let taken_us = place.ts_us;
        Ok(Self {
            plan,
            place,
            moment: Moment { xid, lsn, taken_us },
            last_with_rows,
            report,
        })
    }

    /// Whether several connections have begun with it, which one alone does not go on with.
    pub(crate) fn is_divided(&self) -> bool {
        let progress = self.place.snapshot.as_ref();
        progress.is_some_and(Progress::is_divided)
    }

    /// What is to be read; where the task stands; as of when; who tells of it.
    pub(super) fn apart(mut self) -> (Plan<Planned>, Place, Moment, Report) {
        let plan = Plan {
            tables: self.plan.into_iter().map(Arc::new).collect(),
            last_with_rows: self.last_with_rows,
            progress: self.place.snapshot.take().unwrap_or_default(),
        };
        (plan, self.place, self.moment, self.report)
    }
}

fn oids(plan: &[Planned]) -> Vec<u32> {
    plan.iter().map(|planned| planned.info.oid).collect()
}

/// How many rows tables have, as the server thinks.
async fn estimate(connection: &mut Connection, oids: &[u32]) -> Result<u64> {
    let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
    if oids.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "SELECT sum(greatest(reltuples, 0))::int8 FROM pg_catalog.pg_class WHERE oid IN ({})",
        oids.join(",")
    );
    let rows = connection.query(&sql).await?;
    Ok(rows.first().and_then(|row| row.number(0)).unwrap_or(0))
}

/// The last table that has rows, seen in the snapshot's transaction.
async fn last_with_rows(connection: &mut Connection, plan: &[Planned]) -> Result<usize> {
    for (at, planned) in plan.iter().enumerate().rev() {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", planned.info.sql_name());
        let rows = connection.query(&sql).await?;
        if rows.first().is_some_and(|row| row.is_true(0)) {
            return Ok(at);
        }
    }
    Ok(0)
}

/// The next transaction id and the LSN of now, as records show them.
async fn shown_moment(connection: &mut Connection) -> Result<(Option<i64>, u64)> {
    let sql = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot()), \
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
        ELSE pg_catalog.pg_current_wal_lsn() END";
    let rows = connection.query(sql).await?;
    let row = rows
        .first()
        .ok_or_else(|| error::protocol("the server tells no time"))?;
    Ok((row.number(0), parse_lsn(row.text(1)).unwrap_or(0)))
}
