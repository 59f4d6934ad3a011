//! How far the binlog lets its connector go back.
//!
//! A place to begin is where a transaction begins, with the ids of all transactions before it. A file tells at its beginning when it was begun and
//! which transactions were before it, so that the right one is soon found; in there the heads of events are read one by one.

mod files;
mod rows;
mod walk;

use cdc::{iso, options};
use connect_core::{
    Position, Result,
    rewind::{Asked, Rewind, To, refused, unknown},
};

use self::{
    files::{Files, gtids_at, is_here},
    rows::Rows,
    walk::{Begun, Found, Walk},
};
use crate::{
    binlog::Gtid,
    captured::captured,
    config::MySqlConfig,
    gtid::Gtids,
    position::{FIRST_POS, Mark, Place, partition},
    task::{gtid_filter, target},
    versions::Versions,
    wire::{Answer, Flavor, Side},
};

/// Invariant 4: transactions are counted one by one if no more bytes than this lie between.
const MOST_BYTES: u64 = 256 << 20;

/// Tells what it means to go back.
pub(crate) async fn rewind(config: &MySqlConfig, flavor: Flavor, asked: Asked) -> Result<Rewind> {
    let partition = partition(&config.topic_prefix).into();
    let stored = asked.stored.iter().find(|p| p.partition == partition);
    let Some(stored) = stored else {
        return Err(refused("it has stored no position yet"));
    };
    let place = Place::parse(&stored.offset)?;
    is_streaming(config, &place)?;
    let statements = options::statements(config.initial_statements.as_deref());
    let mut side = Side::new(target(config, flavor), statements);
    let went = async {
        let mut way = Way::look(config, place, &mut side).await?;
        let found = way.find(&asked.to).await?;
        way.told(found, stored, &asked).await
    };
    let went = Box::pin(went).await;
    side.close().await;
    went
}

fn is_streaming(config: &MySqlConfig, place: &Place) -> Result<()> {
    if !config.policy().streams {
        return Err(refused("with this `snapshot.mode` it reads no binlog"));
    }
    let is_first = place.snapshot.is_some() || place.in_snapshot;
    cdc::rewind::no_snapshot(is_first, place.incremental.is_some())
}

/// The transactions before a place of this server where one begins; none when it gives no ids. Somebody may have written the place alone: without
/// them reading would begin at the oldest file, once the first id has come.
pub(crate) async fn gtids_before(place: &Mark, side: &mut Side) -> Result<Option<Gtids>> {
    let connection = side.connection().await?;
    if connection.server().flavor == Flavor::MySql {
        let rows = connection.query("SELECT @@GLOBAL.gtid_mode").await?;
        if rows.first().is_none_or(|row| row.text(0) != "ON") {
            return Ok(None);
        }
    }
    let beginning = Mark {
        pos: FIRST_POS,
        ..place.clone()
    };
    let mut gtids = gtids_at(&place.file, connection).await?;
    let mut walk = Walk::from(side, &beginning).await?;
    while let Some(begun) = walk.begun().await? {
        if begun.at >= *place {
            break;
        }
        if let Some(gtid) = &begun.gtid {
            gtids.add(gtid);
        }
    }
    Ok(Some(gtids).filter(|gtids| !gtids.to_string().is_empty()))
}

/// The way back.
struct Way<'a> {
    config: &'a MySqlConfig,
    side: &'a mut Side,
    files: Files,
    place: Place,
    /// The stored position in this server's files; none when it is another server's.
    until: Option<Mark>,
    notes: Vec<String>,
}

impl<'a> Way<'a> {
    async fn look(config: &'a MySqlConfig, place: Place, side: &'a mut Side) -> Result<Self> {
        let connection = side.connection().await?;
        let files = Files::of(connection).await?;
        let until = place.mark();
        let is_here = is_here(&files, &until, connection).await?;
        if !is_here && (place.gtids.is_none() || config.ignores_gtids) {
            let what = format!("its position, {} in {},", until.pos, until.file);
            return Err(files::purged(&files, side, &what).await?);
        }
        Ok(Self {
            config,
            side,
            files,
            until: is_here.then_some(until),
            place,
            notes: Vec::new(),
        })
    }

    /// Where to; none for where it stands.
    async fn find(&mut self, to: &To) -> Result<Option<Found>> {
        match to {
            To::Earliest => self.first_of(self.files.oldest(), |_| true).await,
            To::Time(ms) => self.time(*ms).await.map(Some),
            To::File { file, pos } => self.file(file, *pos).await,
            To::Gtid(text) => self.gtid(text).await,
            To::Lsn(_) => Err(unknown(
                to,
                "\"time\", \"earliest\", \"gtid\", or \"file\" and \"pos\": it reads a binlog",
            )),
        }
    }

    /// The first transaction from the beginning of a file on that `is_it`, before the stored position.
    async fn first_of(
        &mut self,
        beginning: Mark,
        is_it: impl Fn(&Begun) -> bool,
    ) -> Result<Option<Found>> {
        let gtids = self.gtids_at(&beginning).await?;
        let stored = self.place.gtids.clone().filter(|_| self.until.is_none());
        // Of another server's position the ids tell where it is.
        let is_read = |begun: &Begun| {
            let ids = stored.as_ref().zip(begun.gtid.as_ref());
            ids.is_none_or(|(stored, gtid)| stored.has(gtid))
        };
        let until = self.until.as_ref();
        let found = walk::find(self.side, (&beginning, gtids), until, |begun| {
            is_it(begun) || !is_read(begun)
        });
        Ok(found.await?.filter(|found| is_read(&found.begun)))
    }

    /// The transactions before a file, where the position goes by ids.
    async fn gtids_at(&mut self, beginning: &Mark) -> Result<Option<Gtids>> {
        if self.place.gtids.is_none() {
            return Ok(None);
        }
        let connection = self.side.connection().await?;
        gtids_at(&beginning.file, connection).await.map(Some)
    }

    async fn time(&mut self, ms: i64) -> Result<Found> {
        let us = ms.saturating_mul(1000);
        let what = || format!("what was before {}", iso::instant(us));
        let beginning = self
            .files
            .before(us.div_euclid(1_000_000), self.side)
            .await?;
        let Some(beginning) = beginning else {
            return Err(files::purged(&self.files, self.side, &what()).await?);
        };
        // MariaDB tells the second alone.
        let second = us.div_euclid(1_000_000) * 1_000_000;
        let since = match self.flavor().await? {
            Flavor::MySql => us,
            Flavor::MariaDb => second,
        };
        let found = self.first_of(beginning, |begun| begun.us >= since).await?;
        found.ok_or_else(|| {
            let at = iso::instant(us);
            refused(format!(
                "no transaction was committed at {at} or later, before its position"
            ))
        })
    }

    async fn flavor(&mut self) -> Result<Flavor> {
        Ok(self.side.connection().await?.server().flavor)
    }

    async fn file(&mut self, file: &str, pos: u64) -> Result<Option<Found>> {
        let place = Mark {
            file: file.into(),
            pos,
        };
        if self.until.as_ref() == Some(&place) {
            return Ok(None);
        }
        match self.files.size(file) {
            None if place < self.files.oldest() => {
                return Err(files::purged(&self.files, self.side, file).await?);
            }
            Some(size) if pos <= size => {}
            _ => {
                return Err(refused(format!(
                    "the server's binlog has no place {pos} in a file {file}"
                )));
            }
        }
        let beginning = Mark {
            pos: self.files.oldest().pos,
            ..place.clone()
        };
        let gtids = self.gtids_at(&beginning).await?;
        let found = walk::find_around(self.side, (&beginning, gtids), &place).await?;
        let Some(found) = found else { return Ok(None) };
        if found.begun.at.pos < pos && found.begun.at.file == place.file {
            self.notes.push(format!(
                "{pos} lies within the transaction that begins at {}, which is read from its beginning",
                found.begun.at.pos
            ));
        }
        Ok(Some(found))
    }

    async fn gtid(&mut self, text: &str) -> Result<Option<Found>> {
        let wanted: Gtids = text.parse()?;
        let stored = self
            .place
            .gtids
            .clone()
            .filter(|_| !self.config.ignores_gtids);
        let stored = stored.ok_or_else(|| {
            refused("it does not go by GTIDs. Say \"file\" and \"pos\", \"time\" or \"earliest\"")
        })?;
        if !wanted.is_within(&stored) {
            return Err(refused(format!(
                "these GTIDs are not all in its position {stored}, and it never goes forward"
            )));
        }
        let connection = self.side.connection().await?;
        let beginning = self.files.with_all_before(&wanted, connection).await?;
        let Some(beginning) = beginning else {
            let purged = gtids_at(&self.files.oldest().file, connection).await?;
            let what = format!("all that comes behind them (it begins behind {purged})");
            return Err(files::purged(&self.files, self.side, &what).await?);
        };
        self.are_there(&wanted, &beginning).await?;
        let has = |begun: &Begun| begun.gtid.as_ref().is_some_and(|gtid| wanted.has(gtid));
        let found = self.first_of(beginning, |begun| !has(begun)).await?;
        Ok(found.map(|found| Found {
            gtids: Some(wanted.clone()),
            ..found
        }))
    }

    /// MariaDB begins only behind ids that are in its binlog, with the very server that made them.
    async fn are_there(&mut self, wanted: &Gtids, beginning: &Mark) -> Result<()> {
        let before = self.gtids_at(beginning).await?;
        let (Gtids::MariaDb(wanted), Some(Gtids::MariaDb(before))) = (wanted, before) else {
            return Ok(());
        };
        let mut left = wanted.without(&before);
        let mut walk = Walk::from(self.side, beginning).await?;
        while !left.is_empty()
            && let Some(begun) = walk.begun().await?
        {
            if let Some(Gtid::MariaDb(gtid)) = &begun.gtid {
                left.remove(gtid);
            }
        }
        match left.is_empty() {
            true => Ok(()),
            false => Err(refused(format!("the server's binlog has no {left}"))),
        }
    }

    /// What it means.
    async fn told(
        mut self,
        found: Option<Found>,
        stored: &Position,
        asked: &Asked,
    ) -> Result<Rewind> {
        let Some(found) = found else {
            return Ok(Rewind {
                position: stored.clone(),
                time_ms: None,
                bytes: Some(0),
                transactions: Some(0),
                records: Some(0),
                notes: vec!["It stands there already: nothing comes again".to_owned()],
            });
        };
        self.is_back(&found)?;
        let back = Place {
            versions: self.place.versions,
            signal_offset: self.place.signal_offset,
            // Behind Debezium's turn the tables may be others.
            ts_s: (self.place.ts_s).filter(|_| self.place.is_debeziums()),
            gtids: found.gtids,
            ..Place::between(&found.begun.at.file, found.begun.at.pos, None)
        };
        let until = self.until.clone();
        let bytes = until.map(|until| self.files.between(&back.mark(), &until));
        let (transactions, records) = self.counted(&back, bytes).await?;
        self.tell_tables(asked, &back.mark()).await?;
        if self.place.events > 0 || self.place.rows > 0 {
            self.notes.push("The transaction that was read in part is read again from its beginning, and is not counted".to_owned());
        }
        Ok(Rewind {
            position: back.position(&stored.partition),
            time_ms: Some(found.begun.us.div_euclid(1000)),
            bytes,
            transactions,
            records,
            notes: self.notes,
        })
    }

    fn is_back(&self, found: &Found) -> Result<()> {
        let ids = found.gtids.as_ref().zip(self.place.gtids.as_ref());
        let has_ids = ids.is_some_and(|(found, stored)| found.is_within(stored));
        // Files of another server may be called the same, so that places alone do not tell where all ids count.
        let counts_all = ids.is_some()
            && !self.config.ignores_gtids
            && self.config.gtid_includes.0.is_empty()
            && self.config.gtid_excludes.0.is_empty();
        let is_read = match &self.until {
            Some(until) => found.begun.at < *until && (has_ids || !counts_all),
            None => has_ids,
        };
        if is_read {
            return Ok(());
        }
        let Mark { file, pos } = self.place.mark();
        Err(refused(format!(
            "it lies behind its position, {pos} in {file}, and it never goes forward"
        )))
    }

    /// How many transactions come again, and how many changed rows of captured tables; of a long way only ids tell, and of transactions alone.
    async fn counted(
        &mut self,
        back: &Place,
        bytes: Option<u64>,
    ) -> Result<(Option<u64>, Option<u64>)> {
        let filter = gtid_filter(self.config, &mut Vec::new());
        let passes = |begun: &Begun| {
            let ids = filter.as_ref().zip(begun.gtid.as_ref());
            ids.is_none_or(|(filter, gtid)| filter.passes(&gtid.origin()))
        };
        let Some(until) = self
            .until
            .clone()
            .filter(|_| bytes.is_some_and(|b| b <= MOST_BYTES))
        else {
            let ids = self.place.gtids.as_ref().zip(back.gtids.as_ref());
            let transactions = ids.map(|(stored, back)| {
                self.notes.push("Transactions are counted by their ids: those that `gtid.source.includes` leaves out, and gaps, too".to_owned());
                stored.count_since(back)
            });
            return Ok((transactions, None));
        };
        let has = |begun: &Begun| {
            let ids = back.gtids.as_ref().zip(begun.gtid.as_ref());
            ids.is_some_and(|(back, gtid)| back.has(gtid))
        };
        let mut walk = Walk::from(self.side, &back.mark()).await?;
        let mut rows = captured(self.config, &mut Vec::new())
            .map(Rows::of)
            .transpose()?;
        let (mut count, mut is_sent) = (0, false);
        while let Some(begun) = walk.begun_past(rows.as_mut().filter(|_| is_sent)).await? {
            if begun.at >= until {
                break;
            }
            is_sent = passes(&begun) && !has(&begun);
            count += u64::from(is_sent);
        }
        let records = rows.map(Rows::count).transpose().unwrap_or_else(|why| {
            self.notes.push(format!("Rows could not be counted: {why}"));
            None
        });
        Ok((Some(count), records))
    }

    /// Tables of which it is not known what they were there.
    async fn tell_tables(&mut self, asked: &Asked, at: &Mark) -> Result<()> {
        let unknown = Versions::unknown_at(&asked.stored, &self.config.topic_prefix, at);
        if unknown.is_empty() {
            return Ok(());
        }
        let connection = self.side.connection().await?;
        let rows = connection
            .query("SELECT @@GLOBAL.binlog_row_metadata")
            .await?;
        if rows.first().is_some_and(|row| row.text(0) == "FULL") {
            return Ok(());
        }
        let shown = unknown.get(..10).unwrap_or(&unknown).join(", ");
        self.notes.push(format!(
            "What these tables were at that place is not known, since binlog_row_metadata is not FULL: {shown}{}. Rows of then are read with the \
             columns of now, if these fit; where they do not, `inconsistent.schema.handling.mode` decides, and the task stops if that says nothing else",
            if unknown.len() > 10 { ", …" } else { "" }
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cdc::snapshot::Progress;
    use connect_core::Config;

    use super::*;
    use crate::config::tests::given;

    #[test]
    fn a_snapshot_keeps_its_place() {
        let config = MySqlConfig::parse(&given(&[])).unwrap();
        let place = Place::between("b.1", 4, None);
        assert!(is_streaming(&config, &place).is_ok());
        let within = Place {
            snapshot: Some(Progress::default()),
            ..place.clone()
        };
        let error = is_streaming(&config, &within).unwrap_err();
        assert!(error.to_string().contains("snapshot is not complete"));
        let debeziums = Place {
            in_snapshot: true,
            ..place
        };
        assert!(is_streaming(&config, &debeziums).is_err());
    }
}
