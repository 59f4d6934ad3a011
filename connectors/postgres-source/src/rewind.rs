//! How far a slot lets its connector go back.
//!
//! The server sends nothing again that the slot has confirmed: `START_REPLICATION` at an earlier LSN begins at `confirmed_flush_lsn`, without a word.
//! So the way back is what lies between that and the stored position; it is long when the slot is a copy that somebody made earlier
//! (`pg_copy_logical_replication_slot`). Every LSN in there is a place to begin: transactions come whole, by the LSN of their commit.

mod peek;

use cdc::iso;
use connect_core::{
    Error, Result,
    rewind::{Asked, Rewind, To, refused, unknown},
};

use self::peek::Peek;
use crate::{
    captured::Captured,
    catalog::literal,
    config::PostgresConfig,
    options::policy,
    position::{Place, parse_lsn, partition, show_lsn},
    slot::Slot,
    task::{initial_statements, target},
    temporal::POSTGRES_EPOCH_US,
    wire::{Answer, Connection, Side},
};

/// Invariant 4: the server works no longer than this for an answer.
const PATIENCE: &str = "SET statement_timeout = '60s'";
/// What to do about what the slot does not send any more.
const OTHERWISE: &str = "Let an incremental snapshot read the tables again (signal `execute-snapshot`), or set `slot.name` to a copy of the slot that \
    was made before: SELECT pg_copy_logical_replication_slot(SLOT, COPY); it keeps the server's log from then on";

/// Tells what it means to go back.
pub(crate) async fn rewind(config: &PostgresConfig, asked: Asked) -> Result<Rewind> {
    let partition = partition(&config.topic_prefix).into();
    let stored = asked.stored.iter().find(|p| p.partition == partition);
    let Some(stored) = stored else {
        return Err(refused("it has stored no position yet"));
    };
    let place = Place::parse(&stored.offset)?;
    is_streaming(config, &place)?;
    let mut side = Side::new(target(config), initial_statements(config));
    let went = Way::look(config, &place, side.connection().await?).await;
    let went = match went {
        Ok(way) => way.back(&asked, side.connection().await?).await,
        Err(error) => Err(error),
    };
    side.close().await;
    let went = went?;
    let back = Place {
        signal_offset: place.signal_offset,
        ..Place::between(went.to)
    };
    let position = match went.to == place.at.commit_lsn {
        true => stored.clone(),
        false => back.position(&partition),
    };
    Ok(Rewind {
        position,
        time_ms: went.time_us.map(|us| us.div_euclid(1000)),
        bytes: Some(place.at.commit_lsn - went.to),
        transactions: went.transactions,
        records: went.records,
        notes: went.notes,
    })
}

fn is_streaming(config: &PostgresConfig, place: &Place) -> Result<()> {
    if !policy(config).streams {
        return Err(refused("with this `snapshot.mode` it reads no stream"));
    }
    let is_first = place.snapshot.is_some() || place.ahead.is_some();
    cdc::rewind::no_snapshot(is_first, place.incremental.is_some())
}

/// From where to where a connector can go back.
struct Way<'a> {
    config: &'a PostgresConfig,
    captured: Captured,
    /// From here on the server still sends.
    since: u64,
    /// Here it has to begin to read its log.
    restart: u64,
    /// The stored position.
    until: u64,
    /// Whether somebody reads the slot now.
    is_read: bool,
    /// Whether a transaction was read in part.
    is_within: bool,
}

/// Where it goes, and what comes again.
struct Went {
    to: u64,
    time_us: Option<i64>,
    transactions: Option<u64>,
    records: Option<u64>,
    notes: Vec<String>,
}

impl<'a> Way<'a> {
    async fn look(
        config: &'a PostgresConfig,
        place: &Place,
        connection: &mut Connection,
    ) -> Result<Self> {
        let slot = Slot::find(connection, &config.slot).await?;
        let slot = slot.ok_or_else(|| Slot::missing(config, place))?;
        slot.judge(config, None)?;
        connection.execute(PATIENCE).await?;
        let sql = format!(
            "SELECT restart_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            literal(&config.slot)
        );
        let rows = connection.query(&sql).await?;
        let restart = rows.first().and_then(|row| parse_lsn(row.text(0)));
        let mut findings = Vec::new();
        Ok(Self {
            captured: Captured::new(config, &mut findings)
                .ok_or_else(|| connect_core::config::invalid(&findings))?,
            config,
            since: slot.confirmed_lsn,
            restart: restart.unwrap_or(slot.confirmed_lsn),
            until: place.at.commit_lsn,
            is_read: slot.active,
            is_within: !place.at.is_between() && place.at.tx_id.is_some(),
        })
    }

    async fn back(&self, asked: &Asked, connection: &mut Connection) -> Result<Went> {
        let (since, until) = (self.since, self.until);
        let (to, time_us) = match &asked.to {
            To::Earliest => (since.min(until), None),
            To::Lsn(text) => (self.lsn(text, connection).await?, None),
            To::Time(ms) => {
                let (lsn, us) = self.time(*ms, connection).await?;
                (lsn, Some(us))
            }
            other => {
                return Err(unknown(
                    other,
                    "\"lsn\", \"time\" or \"earliest\": it reads PostgreSQL",
                ));
            }
        };
        let mut went = Went {
            to,
            time_us,
            transactions: None,
            records: None,
            notes: self.notes(to),
        };
        match self.peek() {
            _ if to >= until => (went.transactions, went.records) = (Some(0), Some(0)),
            Ok(peek) => match peek.count(to, &self.captured, connection).await {
                Ok((transactions, records, first)) => {
                    (went.transactions, went.records) = (Some(transactions), Some(records));
                    went.time_us = first.or(went.time_us);
                }
                Err(error) => went.notes.push(uncounted(error)),
            },
            Err(why) => went.notes.push(uncounted(why)),
        }
        Ok(went)
    }

    /// What the slot holds, if it can be looked at now.
    fn peek(&self) -> std::result::Result<Peek<'_>, String> {
        if self.is_read {
            return Err(
                "somebody reads the slot at this moment: stop the connector first".to_owned(),
            );
        }
        Peek::of(self.config, self.restart, self.until)
    }

    async fn lsn(&self, text: &str, connection: &mut Connection) -> Result<u64> {
        let lsn = parse_lsn(text)
            .ok_or_else(|| refused(format!("'{text}' is no LSN: write it as 16/B374D848")))?;
        if lsn > self.until {
            return Err(refused(format!(
                "{text} lies behind its position {}, and it never goes forward",
                show_lsn(self.until)
            )));
        }
        if lsn < self.since {
            return Err(self.gone(lsn, connection).await?);
        }
        Ok(lsn)
    }

    /// What was confirmed is not sent again.
    async fn gone(&self, lsn: u64, connection: &mut Connection) -> Result<Error> {
        let sql = format!(
            "SELECT slot_name, confirmed_flush_lsn FROM pg_catalog.pg_replication_slots \
             WHERE plugin = 'pgoutput' AND database = {} AND confirmed_flush_lsn <= '{}' AND NOT active \
             ORDER BY confirmed_flush_lsn DESC LIMIT 10",
            literal(&self.config.database),
            show_lsn(lsn)
        );
        let others = connection.query(&sql).await?;
        let others: Vec<String> = others
            .iter()
            .map(|row| format!("{} (from {} on)", row.text(0), row.text(1)))
            .collect();
        let others = match others.is_empty() {
            true => String::new(),
            false => format!(". Slots that still have it: {}", others.join(", ")),
        };
        Ok(refused(format!(
            "the slot {} has confirmed all up to {}, and the server sends nothing before it again. {OTHERWISE}{others}",
            self.config.slot,
            show_lsn(self.since)
        )))
    }

    /// The first transaction that was committed at a time or later, and when. The server has no index of times, but what the slot holds tells them.
    async fn time(&self, ms: i64, connection: &mut Connection) -> Result<(u64, i64)> {
        let peek = self.peek().map_err(|why| {
            refused(format!(
                "its server finds no LSN by a time, and the transactions that the slot holds cannot be looked at: {why}. Say \
                 {{\"lsn\": …}} or {{\"earliest\": true}}; it still sends from {} on",
                show_lsn(self.since)
            ))
        })?;
        let us = ms.saturating_mul(1000) - POSTGRES_EPOCH_US;
        let (first, found) = peek.first_since(self.since, us, connection).await?;
        match (first, found) {
            (Some(first), _) if first.1 >= us => Err(refused(format!(
                "what the slot still sends begins at {} with a transaction of {}, and what was before it cannot be told. Say \
                 {{\"earliest\": true}} for all of it. {OTHERWISE}",
                show_lsn(first.0),
                iso::instant(first.1 + POSTGRES_EPOCH_US)
            ))),
            (_, Some((lsn, us))) => Ok((lsn, us + POSTGRES_EPOCH_US)),
            (_, None) => Err(refused(format!(
                "no transaction that the slot still has was committed at that time or later, before its position {}",
                show_lsn(self.until)
            ))),
        }
    }

    fn notes(&self, to: u64) -> Vec<String> {
        let mut notes = vec![format!(
            "The server still sends from {} on; it stands at {}",
            show_lsn(self.since),
            show_lsn(self.until)
        )];
        if self.since >= self.until {
            notes.push(format!(
                "The slot has confirmed all that was read, so that nothing comes again. {OTHERWISE}"
            ));
        } else if to < self.until && self.is_within {
            notes.push("The transaction that was read in part is read again from its beginning, and is not counted".to_owned());
        }
        notes
    }
}

fn uncounted(why: impl std::fmt::Display) -> String {
    format!("Transactions and rows are not counted: {why}")
}

#[cfg(test)]
mod tests {
    use cdc::snapshot::Progress;
    use connect_core::{Config, Verdict, error::NO_REWIND};

    use super::*;
    use crate::config::tests::given;

    #[test]
    fn a_snapshot_keeps_its_place() {
        let config = PostgresConfig::parse(&given(&[])).unwrap();
        let within = Place {
            snapshot: Some(Progress::default()),
            ..Place::between(96)
        };
        let error = is_streaming(&config, &within).unwrap_err();
        assert_eq!((error.code(), error.verdict()), (&NO_REWIND, Verdict::Fail));
        assert!(error.to_string().contains("snapshot is not complete"));
        assert!(is_streaming(&config, &Place::between(96)).is_ok());
        let tables = PostgresConfig::parse(&given(&[("snapshot.mode", "initial_only")])).unwrap();
        assert!(is_streaming(&tables, &Place::between(96)).is_err());
    }
}
