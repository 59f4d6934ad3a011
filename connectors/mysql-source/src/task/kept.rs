//! Whether the server still has what follows a place, and everything that lies before it.

use connect_core::{Error, Result};

use crate::{
    error,
    gtid::Gtids,
    position::Place,
    wire::{Answer, Connection, Flavor},
};

/// What a server has of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// All that follows, and all that was read.
    All,
    /// Not what follows.
    Purged,
    /// Not all that was read.
    Behind,
}

impl Kept {
    /// Looks for a place, of whose transactions `counted` count.
    pub(super) async fn of(
        place: &Place,
        counted: Option<&Gtids>,
        connection: &mut Connection,
    ) -> Result<Self> {
        let Some(read) = counted else {
            let logs = connection.query("SHOW BINARY LOGS").await?;
            let is_there = logs.iter().any(|row| row.text(0) == &*place.file);
            return Ok(if is_there { Self::All } else { Self::Purged });
        };
        let known = match purged(connection).await? {
            Some(purged) => is_known_in(&purged, read),
            None => true,
        };
        if !known {
            return Ok(Self::Purged);
        }
        match has_all(read, connection).await? {
            true => Ok(Self::All),
            false => Ok(Self::Behind),
        }
    }

    /// The error of what is not there; none when all is.
    pub(super) fn error(self, place: &Place) -> Option<Error> {
        let (code, what) = match self {
            Self::All => return None,
            Self::Purged => (
                &error::PURGED,
                "the server does not have the binlog any more that follows the stored position",
            ),
            Self::Behind => (
                &error::BEHIND,
                "the server does not have all transactions that were read before the stored position",
            ),
        };
        let error = Error::new(code, what)
            .context("file", &place.file)
            .context("pos", place.pos);
        Some(match &place.gtids {
            Some(gtids) => error.context("gtids", gtids),
            None => error,
        })
    }
}

/// Whether what is purged was read. What other servers did before this one knew them is no loss: the position never had it.
fn is_known_in(purged: &Gtids, read: &Gtids) -> bool {
    match (purged, read) {
        (Gtids::MySql(purged), Gtids::MySql(read)) => {
            let is_known = |server: &str| !read.of_servers(|known| known == server).is_empty();
            purged.of_servers(is_known).is_within(read)
        }
        (Gtids::MariaDb(purged), Gtids::MariaDb(read)) => {
            let is_known = |domain: &str| !read.of_domains(|known| known == domain).is_empty();
            purged.of_domains(is_known).is_within(read)
        }
        _ => true,
    }
}

async fn has_all(read: &Gtids, connection: &mut Connection) -> Result<bool> {
    let sql = match connection.server().flavor {
        Flavor::MySql => "SELECT @@GLOBAL.gtid_executed",
        Flavor::MariaDb => "SELECT @@GLOBAL.gtid_binlog_pos",
    };
    Ok(match (read, told(connection, sql).await?) {
        (Gtids::MySql(read), Some(Gtids::MySql(all))) => read.is_within(&all),
        (Gtids::MariaDb(read), Some(Gtids::MariaDb(all))) => read.is_within(&all),
        (Gtids::MySql(read), _) => read.is_empty(),
        (Gtids::MariaDb(read), _) => read.is_empty(),
    })
}

/// The transactions that are in no binlog of the server any more.
pub(super) async fn purged(connection: &mut Connection) -> Result<Option<Gtids>> {
    if connection.server().flavor == Flavor::MySql {
        return told(connection, "SELECT @@GLOBAL.gtid_purged").await;
    }
    let logs = connection.query("SHOW BINARY LOGS").await?;
    match logs.first() {
        Some(first) => {
            let file = crate::catalog::literal(first.text(0));
            told(connection, &format!("SELECT BINLOG_GTID_POS({file}, 4)")).await
        }
        None => Ok(None),
    }
}

/// Ids that a query tells; none for an empty text.
async fn told(connection: &mut Connection, sql: &str) -> Result<Option<Gtids>> {
    let rows = connection.query(sql).await?;
    let text = rows.first().map_or("", |row| row.text(0)).trim().to_owned();
    match text.is_empty() {
        true => Ok(None),
        false => text.parse().map(Some),
    }
}
