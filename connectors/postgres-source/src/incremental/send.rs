//! The rows of a closed window become records.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use cdc::{context::Context, java::Part, text::Frame};
use connect_core::{Batch, Cell, Result};

use super::{Incremental, chunk::Order};
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
pub(crate) struct Rows {
    pub(super) table: Arc<Table>,
    pub(super) order: Arc<Order>,
    /// The lines of the chunk, as COPY wrote them.
    pub(super) lines: Bytes,
    /// Where each row lies.
    pub(super) rows: Vec<Range<usize>>,
    /// The next row.
    pub(super) at: usize,
}

impl Rows {
    /// The key of the last row that was sent; `None` when all were.
    fn sent(&self) -> Option<Vec<Part>> {
        let row = self.rows.get(self.at.wrapping_sub(1))?;
        let line = self.lines.get(row.clone()).unwrap_or(&[]);
        let key = || copy::texts_or_null(line, &self.order.places());
        (self.at < self.rows.len()).then(|| self.order.key(key()))
    }
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

    /// Appends rows, as many as a batch has.
    fn send(
        &mut self,
        sending: &mut Rows,
        (at, last_commit): (Cursor, Option<u64>),
        out: &mut Batch,
    ) -> Result<()> {
        self.writer.begin_batch(out);
        let now = postgres_micros_now() + POSTGRES_EPOCH_US;
        self.writer
            .begin_snapshot(at.tx_id.map(i64::from), at.lsn, now);
        self.writer.follows(last_commit);
        let table = &sending.table;
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
        sending.at += count;
        Ok(())
    }
}

impl Incremental {
    /// Appends rows of a closed window; false when there are none. `at` is where the stream stands.
    pub(crate) fn send(&mut self, at: (Cursor, Option<u64>), out: &mut Batch) -> Result<bool> {
        let Some(rows) = self.state.sending() else {
            return Ok(false);
        };
        self.sender.send(rows, at, out)?;
        let upto = rows.sent();
        self.state.sent(upto);
        Ok(true)
    }
}
