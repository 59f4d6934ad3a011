//! A walk along the binlog from transaction to transaction, for a look: of all else only the heads of events are read.

use std::{sync::Arc, time::Duration};

use connect_core::Result;

use super::rows::Rows;
use crate::{
    binlog::{self, Event, Gtid, Header},
    gtid::Gtids,
    position::{FIRST_POS, Mark},
    stream::{event_of, widened},
    wire::{Connection, DumpFrom, DumpPlace, Packets, Side, is_end},
};

/// A transaction of the binlog.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    /// Where it begins.
    pub at: Mark,
    /// Its id, if the server gives any.
    pub gtid: Option<Gtid>,
    /// When it was committed, in microseconds since 1970-01-01; of MariaDB the second in which its last statement began.
    pub us: i64,
    /// Where the transaction before it ended; none when nobody tells.
    passed: Option<Mark>,
}

/// What a walk comes to.
#[derive(Debug)]
pub(super) enum Step {
    /// A file, and when it was begun, in seconds since 1970-01-01.
    File(u32),
    /// A transaction.
    Begun(Begun),
}

/// A walk.
pub(super) struct Walk {
    packets: Packets,
    checked: bool,
    file: Arc<str>,
    pos: u64,
    /// Where the last event of a transaction ended, if it tells that.
    passed: Option<Mark>,
}

impl Walk {
    /// From a place where an event begins to the end of the binlog. On a connection of its own, which is not one of a replica: a running task is
    /// not disturbed.
    pub(super) async fn from(side: &Side, at: &Mark) -> Result<Self> {
        let connection = Connection::open(side.target()).await?;
        let from = DumpFrom {
            place: DumpPlace::File(&at.file, at.pos),
            server_id: 0,
            name: "",
            uuid: "",
            heartbeat: Duration::from_secs(10),
            annotated: false,
        };
        let dump = connection.dump(&from).await?;
        Ok(Self {
            packets: dump.packets,
            checked: dump.checked,
            file: Arc::clone(&at.file),
            pos: at.pos.max(FIRST_POS),
            passed: None,
        })
    }

    /// The next file or transaction; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Step>> {
        self.next_past(None).await
    }

    /// The same; what is passed on the way goes to `rows`.
    async fn next_past(&mut self, mut rows: Option<&mut Rows>) -> Result<Option<Step>> {
        loop {
            let payload = self.packets.next().await?;
            if is_end(&payload)? {
                return Ok(None);
            }
            let event = event_of(&payload)?;
            let header = binlog::header(event)?;
            self.pos = widened(self.pos, &header);
            if !header.is_rotate() && !header.is_format() && !header.is_gtid() {
                self.pass(&header);
                if let Some(rows) = &mut rows {
                    rows.take(event, &header, self.checked);
                }
                continue;
            }
            let body = binlog::body(event, &header, self.checked)?;
            match binlog::event(&header, body)? {
                Event::Rotate { file, pos } => (self.file, self.pos) = (file.into(), pos),
                Event::Format(format) => {
                    self.checked = format.checked;
                    return Ok(Some(Step::File(header.timestamp_s)));
                }
                Event::Gtid(gtid) => {
                    let second = i64::from(header.timestamp_s) * 1_000_000;
                    return Ok(Some(Step::Begun(Begun {
                        at: Mark {
                            file: Arc::clone(&self.file),
                            pos: self.pos.saturating_sub(header.size.into()),
                        },
                        passed: self.passed.take(),
                        gtid: gtid.id,
                        us: gtid.committed_us.unwrap_or(second),
                    })));
                }
                _ => {}
            }
        }
    }

    /// MariaDB 11.8 does not tell of all events where they end.
    fn pass(&mut self, header: &Header) {
        if header.is_of_transaction() {
            self.passed = (header.next_pos > 0).then(|| Mark {
                file: Arc::clone(&self.file),
                pos: self.pos,
            });
        }
    }

    /// The next transaction; none at the end.
    pub(super) async fn begun(&mut self) -> Result<Option<Begun>> {
        self.begun_past(None).await
    }

    /// The same; the rows that are passed on the way are counted.
    pub(super) async fn begun_past(
        &mut self,
        mut rows: Option<&mut Rows>,
    ) -> Result<Option<Begun>> {
        loop {
            match self.next_past(rows.as_deref_mut()).await? {
                Some(Step::Begun(begun)) => return Ok(Some(begun)),
                Some(Step::File(_)) => {}
                None => return Ok(None),
            }
        }
    }
}

/// Where a walk has found what it looks for.
#[derive(Debug)]
pub(super) struct Found {
    /// The transaction.
    pub begun: Begun,
    /// The transactions before it, where ids count.
    pub gtids: Option<Gtids>,
}

/// Looks for the first transaction from a place on that `is_it`, before `until`. At the place these transactions have been.
pub(super) async fn find(
    side: &Side,
    (from, mut gtids): (&Mark, Option<Gtids>),
    until: Option<&Mark>,
    is_it: impl Fn(&Begun) -> bool,
) -> Result<Option<Found>> {
    let mut walk = Walk::from(side, from).await?;
    while let Some(begun) = walk.begun().await? {
        if until.is_some_and(|until| begun.at >= *until) {
            break;
        }
        if is_it(&begun) {
            return Ok(Some(Found { begun, gtids }));
        }
        if let (Some(gtids), Some(gtid)) = (&mut gtids, &begun.gtid) {
            gtids.add(gtid);
        }
    }
    Ok(None)
}

/// Looks for the transaction that begins at a place or behind it, or, where the place lies within one, for that one; none behind the last. From
/// a beginning on, where these transactions have been.
pub(super) async fn find_around(
    side: &Side,
    (from, mut gtids): (&Mark, Option<Gtids>),
    place: &Mark,
) -> Result<Option<Found>> {
    let mut walk = Walk::from(side, from).await?;
    let mut last: Option<Begun> = None;
    // If nobody tells where a transaction ended, the place counts as within it.
    let is_behind = |passed: &Option<Mark>| passed.as_ref().is_some_and(|passed| passed <= place);
    while let Some(begun) = walk.begun().await? {
        if begun.at > *place && last.is_some() && !is_behind(&begun.passed) {
            break;
        }
        let is_it = begun.at >= *place;
        let passed = last.replace(begun).and_then(|passed| passed.gtid);
        if let (Some(gtids), Some(gtid)) = (&mut gtids, &passed) {
            gtids.add(gtid);
        }
        if is_it {
            return Ok(last.map(|begun| Found { begun, gtids }));
        }
    }
    // The last one goes on up to the end.
    let last = last.filter(|_| !is_behind(&walk.passed));
    Ok(last.map(|begun| Found { begun, gtids }))
}
