//! The rows of one SELECT, as they lie.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use cdc::{
    snapshot::{Marks, Range as Part, Step},
    text::Frame,
};
use connect_core::{Batch, Cell, Result};
use tokio::time::timeout;

use super::{Planned, key::Key, statement};
use crate::{
    change::ChangeWriter,
    shown,
    wire::{Connection, Look, Packets, RowValues, Vigil, is_end},
};

/// A batch is full with so many records, for the sake of the cache …
const BATCH_RECORDS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;
/// A poll ends after this long, also with nothing: sorting a large table can take its time.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running SELECT.
#[derive(Debug)]
pub(super) struct Rows {
    planned: Arc<Planned>,
    /// Whether the rows come in the order of the key.
    is_ordered: bool,
    rows: u64,
    last_key: Option<Vec<String>>,
    cells: Vec<Cell>,
    has_all: bool,
    /// Whether the next row has more than one packet.
    is_large: bool,
}

/// What has gone into the batch already.
#[derive(Debug, Default)]
pub(super) struct Budget {
    frames: u32,
    bytes: usize,
}

/// Where the rows go.
pub(super) struct Emit<'a> {
    pub(super) writer: &'a mut ChangeWriter,
    pub(super) marks: Marks,
    pub(super) budget: &'a mut Budget,
    pub(super) out: &'a mut Batch,
}

impl Rows {
    /// Asks for a part of a table.
    pub(super) async fn start(
        connection: &mut Connection,
        planned: &Arc<Planned>,
        part: &Part,
    ) -> Result<Self> {
        let sql = statement::select(planned, part);
        connection.select(&sql).await?;
        let (is_ordered, after) = match part {
            Part::Keys { after, .. } => (!planned.key.columns.is_empty(), after.clone()),
            Part::Whole | Part::Pages { .. } => (false, Vec::new()),
        };
        let goes_on = is_ordered && planned.key.behind(&after).is_some();
        Ok(Self {
            planned: Arc::clone(planned),
            is_ordered,
            rows: 0,
            last_key: goes_on.then_some(after),
            cells: Vec::new(),
            has_all: false,
            is_large: false,
        })
    }

    /// Whether the last row has been given.
    pub(super) fn has_all(&self) -> bool {
        self.has_all
    }

    /// The key of the last row that was read; `None` when they do not come in the order of a key.
    pub(super) fn last_key(&self) -> Option<Vec<String>> {
        self.last_key.clone()
    }

    /// Appends rows until the batch is full, the table ends or the server pauses.
    pub(super) async fn step(
        &mut self,
        packets: &mut Packets,
        emit: &mut Emit<'_>,
        vigil: &mut Vigil,
    ) -> Result<Step> {
        loop {
            if let Some(step) = self.drain(packets, emit)? {
                return Ok(step);
            }
            if std::mem::take(&mut self.is_large) {
                // What lies before it goes first: it has a batch of its own.
                if emit.budget.bytes > 0 {
                    return Ok(Step::Full);
                }
                vigil.over(self.large(packets, emit)).await?;
                return Ok(Step::Full);
            }
            if !emit.out.is_empty() && packets.try_read().await? {
                continue;
            }
            match timeout(PATIENCE, packets.read()).await {
                Ok(read) => read?,
                Err(_) => return Ok(Step::Waiting),
            }
        }
    }

    /// Reads the rows that lie in the buffer, and takes them as one frame. `None` when more must come.
    fn drain(&mut self, packets: &mut Packets, emit: &mut Emit<'_>) -> Result<Option<Step>> {
        let records = emit.out.len();
        let mut at = 0;
        let mut last_row: Option<Range<usize>> = None;
        let step = loop {
            if emit.out.len() >= BATCH_RECORDS || emit.budget.bytes + at >= BATCH_BYTES {
                break Some(Step::Full);
            }
            let row = match packets.look_at(at)? {
                Look::Whole(row) => row,
                Look::Missing(_) => break None,
                Look::Large => {
                    self.is_large = true;
                    break None;
                }
            };
            if is_end(packets.bytes().get(row.clone()).unwrap_or_default())? {
                at = row.end;
                break Some(Step::End);
            }
            // The last row says so, hence a row waits for what comes behind it.
            let next = packets.look_at(row.end)?;
            let bytes = packets.bytes();
            let is_last = match next {
                Look::Whole(next) => is_end(bytes.get(next).unwrap_or_default())?,
                Look::Large => false,
                Look::Missing(_) => break None,
            };
            let frame = Frame {
                bytes,
                index: emit.budget.frames,
            };
            let payload = bytes.get(row.clone()).unwrap_or_default();
            self.row(payload, frame, is_last, emit)?;
            at = row.end;
            last_row = Some(row);
        };
        if let Some(row) = last_row.and_then(|row| packets.bytes().get(row)) {
            self.note_key(row)?;
        }
        if emit.out.len() > records {
            emit.out.push_frame(packets.take(at));
            emit.budget.frames += 1;
            emit.budget.bytes += at;
        } else {
            packets.skip(at);
        }
        Ok(step)
    }

    /// A row of more than one packet, alone in its batch.
    async fn large(&mut self, packets: &mut Packets, emit: &mut Emit<'_>) -> Result<()> {
        let payload: Bytes = packets.large().await?;
        let is_last = loop {
            match packets.look_at(0)? {
                Look::Whole(next) => {
                    break is_end(packets.bytes().get(next).unwrap_or_default())?;
                }
                Look::Large => break false,
                Look::Missing(_) => packets.read().await?,
            }
        };
        let frame = Frame {
            bytes: &payload,
            index: emit.budget.frames,
        };
        self.row(&payload, frame, is_last, emit)?;
        self.note_key(&payload)?;
        emit.budget.frames += 1;
        emit.budget.bytes += payload.len();
        emit.out.push_frame(payload.clone());
        Ok(())
    }

    #[inline]
    fn row(
        &mut self,
        payload: &[u8],
        frame: Frame<'_>,
        is_last: bool,
        emit: &mut Emit<'_>,
    ) -> Result<()> {
        let table = &self.planned.table;
        shown::row(table, payload, Some(frame), &mut self.cells, emit.out)?;
        let marker = emit.marks.of(self.rows == 0, is_last);
        emit.writer.read(table, marker, &self.cells, emit.out);
        self.rows += 1;
        self.has_all = is_last;
        Ok(())
    }

    fn note_key(&mut self, payload: &[u8]) -> Result<()> {
        if self.is_ordered {
            self.last_key = key_of(&self.planned.key, payload)?;
        }
        Ok(())
    }
}

/// The key of a row, as it is stored; `None` when a value of it has no text.
fn key_of(key: &Key, payload: &[u8]) -> Result<Option<Vec<String>>> {
    let last = key.columns.iter().map(|column| column.place).max();
    let mut values = RowValues::new(payload);
    let mut all = Vec::new();
    for _ in 0..=last.unwrap_or(0) {
        all.push(values.value()?);
    }
    let text = |column: &super::key::KeyColumn| {
        let value = all.get(column.place).copied().flatten()?;
        column.form.text(value)
    };
    let texts: Option<Vec<String>> = key.columns.iter().map(text).collect();
    Ok(texts.map(|texts| key.stored(texts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::key::tests::keyed;

    #[test]
    fn keys_are_found_in_rows_and_every_prefix_fails_politely() {
        let columns = "v int, l varchar(9) character set latin1, y binary(2)";
        let key = keyed(columns, &["y", "l"]).1.unwrap();
        let row = b"\x017\x02\xc3\xa4\x02\x00\xff\x02E4";
        let found = key_of(&key, row).unwrap().unwrap();
        assert_eq!(found[..2], ["00FF", "E4"]);
        assert!(key.fits(&found));
        for end in 0..row.len() {
            assert!(key_of(&key, &row[..end]).is_err(), "{end}");
        }
    }
}
