//! The rows of a closed window become records.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use cdc::{change::Marker, context::Context, java::Part, text::Frame};
use connect_core::{Batch, Cell, Result};

use super::{Incremental, order::Order};
use crate::{change::ChangeWriter, position::Place, shown, tables::Table};

/// A batch has so many rows …
const BATCH_ROWS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;

/// What is left of a chunk to send.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(super) table: Arc<Table>,
    pub(super) order: Arc<Order>,
    /// The rows of the chunk, as the server sent them.
    pub(super) bytes: Bytes,
    /// Where each lies.
    pub(super) rows: Vec<Range<usize>>,
    /// The next row.
    pub(super) at: usize,
}

impl Rows {
    /// The key of the last row that was sent; `None` when all were.
    fn sent(&self) -> Option<Vec<Part>> {
        let row = self.rows.get(self.at.wrapping_sub(1))?;
        let row = self.bytes.get(row.clone()).unwrap_or_default();
        (self.at < self.rows.len()).then(|| self.order.key(row))
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
    fn send(&mut self, sending: &mut Rows, at: &Place, out: &mut Batch) -> Result<()> {
        self.writer.file(&at.file, out);
        let now_ms = self.writer.begin_batch(out);
        self.writer.event(0, at.pos, now_ms * 1000);
        let table = &sending.table;
        let rows = sending.rows.get(sending.at..).unwrap_or_default();
        let start = rows.first().map_or(0, |row| row.start);
        let fits = |row: &&Range<usize>| row.end - start <= BATCH_BYTES || row.start == start;
        let rows = rows.iter().take(BATCH_ROWS).take_while(fits);
        let (mut end, mut count) = (start, 0);
        for row in rows.clone() {
            (end, count) = (row.end, count + 1);
        }
        let bytes = sending.bytes.slice(start..end);
        let index = out.push_frame(bytes.clone());
        let frame = Frame {
            bytes: &bytes,
            index,
        };
        for row in rows {
            let row = bytes.get(row.start - start..row.end - start);
            let row = row.unwrap_or_default();
            shown::row(table, row, Some(frame), &mut self.cells, out)?;
            self.writer
                .read(table, Marker::Incremental, &self.cells, out);
        }
        sending.at += count;
        Ok(())
    }
}

impl Incremental {
    /// Appends rows of a closed window; false when there are none. `at` is where the stream stands.
    pub(crate) fn send(&mut self, at: &Place, out: &mut Batch) -> Result<bool> {
        let Some(rows) = self.state.sending() else {
            return Ok(false);
        };
        self.sender.send(rows, at, out)?;
        let upto = rows.sent();
        self.state.sent(upto);
        Ok(true)
    }
}
