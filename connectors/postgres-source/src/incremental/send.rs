//! The rows of a closed window become records.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use cdc::{context::Context, java::Part, text::Frame};
use connect_core::{Batch, Cell, Result};

use super::{Incremental, Phase, Reading};
use crate::{
    change::{ChangeWriter, Marker},
    copy,
    cursor::Cursor,
    decode,
    relations::Table,
    temporal::{POSTGRES_EPOCH_US, postgres_micros_now},
};

/// A batch has so many rows …
const BATCH_ROWS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;

/// What is left of a chunk to send.
#[derive(Debug)]
pub(super) struct Sending {
    pub lines: Bytes,
    pub rows: Vec<Range<usize>>,
    pub at: usize,
    /// The key behind which the next chunk begins.
    pub last: Vec<Part>,
}

/// Writes them.
#[derive(Debug)]
pub(super) struct Sender {
    writer: ChangeWriter,
    cells: Vec<Cell>,
}

impl Sender {
    pub(super) fn new(context: Option<Context>) -> Self {
        Self {
            writer: ChangeWriter::new(false).with_context(context),
            cells: Vec::new(),
        }
    }

    /// Appends the rows from `sending.at` on, as many as a batch has; gives the place of the next one.
    fn send(
        &mut self,
        table: &Table,
        sending: &Sending,
        (at, last_commit): (Cursor, Option<u64>),
        out: &mut Batch,
    ) -> Result<usize> {
        self.writer.begin_batch(out);
        let now = postgres_micros_now() + POSTGRES_EPOCH_US;
        self.writer
            .begin_snapshot(at.tx_id.map(i64::from), at.lsn, now);
        self.writer.follows(last_commit);
        let rows = sending.rows.get(sending.at..).unwrap_or(&[]);
        let start = rows.first().map_or(0, |row| row.start);
        let fits = |row: &&Range<usize>| row.end - start <= BATCH_BYTES || row.start == start;
        let rows = rows.iter().take(BATCH_ROWS).take_while(fits);
        let (mut end, mut count) = (start, 0);
        for row in rows.clone() {
            (end, count) = (row.end, count + 1);
        }
        let frame = Frame {
            bytes: &sending.lines.slice(start..end),
            index: out.push_frame(sending.lines.slice(start..end)),
        };
        for row in rows {
            let line = frame.bytes.get(row.start - start..row.end - start);
            match copy::row(table, line.unwrap_or(&[]), frame, &mut self.cells, out) {
                Ok(()) => {
                    self.writer
                        .read(table, at.lsn, Marker::Incremental, &self.cells, out);
                }
                Err(error) => decode::leave_out(table.processing, error)?,
            }
        }
        Ok(sending.at + count)
    }
}

impl Incremental {
    /// Appends rows of a closed window; false when there are none. `at` is where the stream stands.
    pub(crate) fn send(&mut self, at: (Cursor, Option<u64>), out: &mut Batch) -> Result<bool> {
        let (Phase::Sending(sending), Some(Reading { table, order, .. })) =
            (&mut self.phase, &self.reading)
        else {
            return Ok(false);
        };
        let table = Arc::clone(table);
        let next = self.sender.send(&table, sending, at, out)?;
        let last = match sending.rows.get(next.wrapping_sub(1)) {
            Some(row) if next < sending.rows.len() => {
                let line = sending.lines.get(row.clone()).unwrap_or(&[]);
                order.key(copy::texts_or_null(line, &order.places()))
            }
            _ => sending.last.clone(),
        };
        sending.at = next;
        if next >= sending.rows.len() {
            self.phase = Phase::Due(tokio::time::Instant::now());
        }
        self.change().last = Some(last);
        Ok(true)
    }
}
