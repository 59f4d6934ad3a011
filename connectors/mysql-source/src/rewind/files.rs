//! The files of a server's binlog.

use std::sync::Arc;

use connect_core::{Error, Result, rewind::refused};

use super::walk::{Step, Walk};
use crate::{
    catalog::literal,
    error,
    gtid::{GtidSet, Gtids, MariaDbGtids},
    position::{FIRST_POS, Mark},
    wire::{Answer, Connection, Flavor, Side},
};

/// The files that are there, in order.
pub(super) struct Files(Vec<(Arc<str>, u64)>);

impl Files {
    /// Asks the server.
    pub(super) async fn of(connection: &mut Connection) -> Result<Self> {
        let rows = connection.query("SHOW BINARY LOGS").await?;
        let one = |row: &crate::wire::Row| (Arc::from(row.text(0)), row.number(1).unwrap_or(0));
        let files: Vec<_> = rows.iter().map(one).collect();
        match files.is_empty() {
            true => Err(Error::new(&error::BINLOG, "the server has no binlog")),
            false => Ok(Self(files)),
        }
    }

    /// The beginning of the oldest.
    pub(super) fn oldest(&self) -> Mark {
        self.beginning(0)
    }

    fn beginning(&self, nth: usize) -> Mark {
        let file = self.0.get(nth).map(|(file, _)| Arc::clone(file));
        Mark {
            file: file.unwrap_or_default(),
            pos: FIRST_POS,
        }
    }

    /// How long a file is; none when it is not there.
    pub(super) fn size(&self, file: &str) -> Option<u64> {
        let found = self.0.iter().find(|(name, _)| **name == *file);
        found.map(|(_, size)| *size)
    }

    /// How many bytes lie between two places, both of them there.
    pub(super) fn between(&self, from: &Mark, to: &Mark) -> u64 {
        let passed = self.0.iter().skip_while(|(file, _)| *file != from.file);
        let passed = passed.take_while(|(file, _)| *file != to.file);
        let passed: u64 = passed.map(|(_, size)| size).sum();
        (passed + to.pos).saturating_sub(from.pos)
    }

    /// The beginning of the last file before which only older transactions lie: of those that were begun before a second.
    pub(super) async fn before(&self, second: i64, side: &Side) -> Result<Option<Mark>> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let middle = low.midpoint(high);
            match written_s(side, &self.beginning(middle)).await? < second {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low.checked_sub(1).map(|nth| self.beginning(nth)))
    }

    /// The beginning of the last file before which a set has all transactions.
    pub(super) async fn with_all_before(
        &self,
        gtids: &Gtids,
        connection: &mut Connection,
    ) -> Result<Option<Mark>> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let middle = low.midpoint(high);
            let before = gtids_at(&self.beginning(middle).file, connection).await?;
            match before.is_within(gtids) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low.checked_sub(1).map(|nth| self.beginning(nth)))
    }
}

/// When a file was begun, in seconds since 1970-01-01.
pub(super) async fn written_s(side: &Side, beginning: &Mark) -> Result<i64> {
    let mut walk = Walk::from(side, beginning).await?;
    match walk.next().await? {
        Some(Step::File(second)) => Ok(second.into()),
        _ => Err(error::protocol(
            "a file of the binlog does not tell when it was begun",
        )),
    }
}

/// The transactions before a file.
pub(super) async fn gtids_at(file: &str, connection: &mut Connection) -> Result<Gtids> {
    if connection.server().flavor == Flavor::MariaDb {
        let sql = format!("SELECT BINLOG_GTID_POS({}, {FIRST_POS})", literal(file));
        let rows = connection.query(&sql).await?;
        let text = rows.first().map_or("", |row| row.text(0));
        return text.parse::<MariaDbGtids>().map(Gtids::MariaDb);
    }
    // It is the second event of each file; the first tells the format.
    let sql = format!("SHOW BINLOG EVENTS IN {} LIMIT 4", literal(file));
    let rows = connection.query(&sql).await?;
    let previous = rows.iter().find(|row| row.text(2) == "Previous_gtids");
    let text = previous.map_or("", |row| row.text(5));
    text.parse::<GtidSet>().map(Gtids::MySql)
}

/// Whether a place is one of this server: a file of its name is there, and an event begins at it. After a failover it may be another server's.
pub(super) async fn is_here(
    files: &Files,
    place: &Mark,
    connection: &mut Connection,
) -> Result<bool> {
    let Some(size) = files.size(&place.file) else {
        return Ok(false);
    };
    if place.pos >= size {
        return Ok(place.pos == size);
    }
    let sql = format!(
        "SHOW BINLOG EVENTS IN {} FROM {} LIMIT 1",
        literal(&place.file),
        place.pos
    );
    match connection.query(&sql).await {
        Ok(_) => Ok(true),
        // ER_ERROR_WHEN_EXECUTING_COMMAND: no event begins there.
        Err(error) if error::is_of_server(&error, &[1220]) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The error of what the server has purged.
pub(super) async fn purged(files: &Files, side: &Side, what: &str) -> Result<Error> {
    let oldest = files.oldest();
    let second = written_s(side, &oldest).await?;
    Ok(refused(format!(
        "{what} is not there any more: the oldest file of the server's binlog is {}, which it began at {}. Say {{\"earliest\": true}} for all that it has, \
         or let an incremental snapshot read the tables again (signal `execute-snapshot`)",
        oldest.file,
        cdc::iso::instant(second * 1_000_000)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_between_places_are_those_of_the_files() {
        let file = |name: &str, size| (Arc::from(name), size);
        let files = Files(vec![
            file("b.999998", 50),
            file("b.999999", 100),
            file("b.1000000", 30),
            file("b.1000001", 70),
        ]);
        let mark = |file: &str, pos| Mark {
            file: file.into(),
            pos,
        };
        assert_eq!(
            files.between(&mark("b.999999", 40), &mark("b.999999", 90)),
            50
        );
        assert_eq!(
            files.between(&mark("b.999999", 40), &mark("b.1000001", 10)),
            100
        );
        assert_eq!((files.size("b.1000000"), files.size("x")), (Some(30), None));
        assert_eq!(files.oldest(), mark("b.999998", 4));
    }
}
