//! The replication slot: found, judged, made, dropped.

use connect_core::{Error, Result};

use crate::{
    catalog::{literal, quoted},
    config::{OffsetMismatch, PostgresConfig},
    error,
    position::{Place, parse_lsn, show_lsn},
    wire::{Answer, Connection, Row},
};

/// A slot as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Its plugin; empty for a physical one.
    pub plugin: String,
    /// Its database; empty for a physical one.
    pub database: String,
    /// Whether somebody reads it.
    pub active: bool,
    /// What has been confirmed.
    pub confirmed_lsn: u64,
    /// Why it cannot be read any more, if so.
    pub lost: Option<String>,
}

/// A slot that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created {
    /// Where its stream begins.
    pub consistent_lsn: u64,
    /// The snapshot of that place; valid until the next command on the connection that made it.
    pub snapshot: Option<String>,
}

impl Slot {
    /// Looks for a slot.
    pub(crate) async fn find(connection: &mut Connection, name: &str) -> Result<Option<Self>> {
        let wal_status = if connection.server_version() >= 13 {
            "wal_status"
        } else {
            "NULL"
        };
        let sql = format!(
            "SELECT plugin, database, active, confirmed_flush_lsn, {wal_status} \
             FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            literal(name)
        );
        Ok(connection.query(&sql).await?.first().map(read))
    }

    /// Whether it can be read from a place on; `place` is what is stored, if anything is.
    pub(crate) fn judge(&self, config: &PostgresConfig, place: Option<&Place>) -> Result<()> {
        let about =
            |code, what: &'static str| Err(Error::new(code, what).context("slot", &config.slot));
        if self.plugin != "pgoutput" || self.database != config.database {
            return about(
                &error::SLOT_FOREIGN,
                "the slot belongs to another plugin or database",
            )
            .map_err(|e| {
                e.context("plugin", &self.plugin)
                    .context("database", &self.database)
            });
        }
        if let Some(status) = &self.lost {
            return about(&error::SLOT_LOST, "the server has invalidated the slot")
                .map_err(|e| e.context("wal_status", status));
        }
        place.map_or(Ok(()), |place| {
            Self::judge_begin(config, self.confirmed_lsn, place)
        })
    }

    /// Whether what begins at an LSN leaves nothing out behind a place.
    pub(crate) fn judge_begin(config: &PostgresConfig, begin: u64, place: &Place) -> Result<()> {
        let trusted = matches!(
            config.offset_mismatch,
            OffsetMismatch::TrustSlot | OffsetMismatch::TrustGreaterLsn
        );
        // The server forgets what was confirmed; reading on from there would be a silent gap.
        if begin > place.at.commit_lsn && !trusted {
            let what = "the slot has moved past the stored position";
            return Err(Error::new(&error::SLOT_AHEAD, what)
                .context("slot", &config.slot)
                .context("slot_lsn", show_lsn(begin))
                .context("stored_lsn", show_lsn(place.at.commit_lsn)));
        }
        Ok(())
    }

    /// Makes a slot; with an exported snapshot of the place where it begins, if wanted.
    pub(crate) async fn create(
        replication: &mut Connection,
        config: &PostgresConfig,
        export: bool,
    ) -> Result<Created> {
        let name = quoted(&config.slot);
        let failover = config.slot_failover && replication.server_version() >= 17;
        let options = match (failover, export) {
            (true, true) => "(SNAPSHOT 'export', FAILOVER true)",
            (true, false) => "(SNAPSHOT 'nothing', FAILOVER true)",
            (false, true) => "EXPORT_SNAPSHOT",
            (false, false) => "NOEXPORT_SNAPSHOT",
        };
        let sql = format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput {options}");
        let rows = replication.query(&sql).await?;
        let row = rows
            .first()
            .ok_or_else(|| error::protocol("the server made no slot"))?;
        let consistent_lsn = parse_lsn(row.text(1))
            .ok_or_else(|| error::protocol("the server tells no LSN for a new slot"))?;
        tracing::info!(slot = %config.slot, lsn = %row.text(1), "slot created");
        let snapshot = Some(row.text(2).to_owned()).filter(|name| !name.is_empty());
        Ok(Created {
            consistent_lsn,
            snapshot,
        })
    }

    /// Drops a slot that nobody reads any more; one that is gone is no error.
    pub(crate) async fn drop(connection: &mut Connection, name: &str) -> Result<()> {
        let sql = format!(
            "SELECT pg_catalog.pg_drop_replication_slot(slot_name) \
             FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            literal(name)
        );
        connection.execute(&sql).await?;
        tracing::info!(slot = name, "slot dropped");
        Ok(())
    }

    /// The slot is gone although a position is stored.
    pub(crate) fn missing(config: &PostgresConfig, place: &Place) -> Error {
        Error::new(
            &error::SLOT_MISSING,
            "the replication slot does not exist any more",
        )
        .context("slot", &config.slot)
        .context("stored_lsn", show_lsn(place.at.commit_lsn))
    }
}

fn read(row: &Row) -> Slot {
    let status = row.text(4);
    Slot {
        plugin: row.text(0).to_owned(),
        database: row.text(1).to_owned(),
        active: row.is_true(2),
        confirmed_lsn: parse_lsn(row.text(3)).unwrap_or(0),
        lost: (status == "lost").then(|| status.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::Config;

    fn config(more: &[(&str, &str)]) -> PostgresConfig {
        let base = [
            ("topic.prefix", "p"),
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.dbname", "db"),
        ];
        let all = base.iter().chain(more);
        PostgresConfig::parse(&all.map(|(n, v)| ((*n).into(), (*v).into())).collect()).unwrap()
    }

    #[test]
    fn a_slot_is_judged_before_it_is_read() {
        let place = Place::between(100);
        let good = Slot {
            plugin: "pgoutput".into(),
            database: "db".into(),
            active: false,
            confirmed_lsn: 100,
            lost: None,
        };
        let code = |slot: &Slot, config: &PostgresConfig| {
            slot.judge(config, Some(&place))
                .err()
                .map(|error| error.code().name)
        };
        assert_eq!(code(&good, &config(&[])), None);
        let ahead = Slot {
            confirmed_lsn: 101,
            ..good.clone()
        };
        assert_eq!(code(&ahead, &config(&[])), Some("postgres.slot_ahead"));
        let trusting = config(&[("offset.mismatch.strategy", "trust_slot")]);
        assert_eq!(code(&ahead, &trusting), None);
        let lost = Slot {
            lost: Some("lost".into()),
            ..good.clone()
        };
        assert_eq!(code(&lost, &config(&[])), Some("postgres.slot_lost"));
        let foreign = Slot {
            plugin: "wal2json".into(),
            ..good
        };
        assert_eq!(code(&foreign, &config(&[])), Some("postgres.slot_foreign"));
    }
}
