//! One table's COPY, row by row.

use std::{ops::Range, time::Duration};

use cdc::{
    snapshot::{Marks, Step},
    text::Frame,
};
use connect_core::{Batch, Cell, Result};
use tokio::time::timeout;

use super::{Planned, statement};
use crate::{
    change::ChangeWriter,
    copy, decode, error,
    position::Range as Part,
    wire::{Connection, Frames, server_error},
};

/// A batch is full with so many rows, for the sake of the cache …
const BATCH_ROWS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;
/// A poll ends after this long, also with nothing: sorting a large table can take its time.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running COPY.
#[derive(Debug)]
pub(super) struct Rows {
    /// Places of the key, where the rows come in its order.
    order: Vec<u16>,
    rows: u64,
    last_key: Option<Vec<String>>,
    cells: Vec<Cell>,
    has_all: bool,
    ended: bool,
}

/// What has gone into the batch already.
#[derive(Debug, Default)]
pub(super) struct Budget {
    frames: u32,
    bytes: usize,
}

/// Where the rows go.
pub(super) struct Emit<'a> {
    pub(super) planned: &'a Planned,
    pub(super) writer: &'a mut ChangeWriter,
    pub(super) lsn: u64,
    pub(super) marks: Marks,
}

impl Rows {
    /// Starts the COPY of a part of a table.
    pub(super) async fn start(
        connection: &mut Connection,
        planned: &Planned,
        part: &Part,
    ) -> Result<Self> {
        let sql = statement::copy(planned, part);
        connection.copy_out(&sql).await?;
        let (order, after) = match part {
            Part::Keys { after, .. } => (statement::order(&planned.info), after.clone()),
            Part::Whole | Part::Pages { .. } => (Vec::new(), Vec::new()),
        };
        let goes_on = !order.is_empty() && after.len() == order.len();
        Ok(Self {
            order,
            rows: 0,
            last_key: goes_on.then_some(after),
            cells: Vec::new(),
            has_all: false,
            ended: false,
        })
    }

    /// Whether the last row has been given.
    pub(super) fn has_all(&self) -> bool {
        self.has_all
    }

    /// The key of the last row that was read; `None` when the table is not read in the order of a key.
    pub(super) fn last_key(&self) -> Option<Vec<String>> {
        self.last_key.clone()
    }

    /// Appends rows until the batch is full, the table ends or the server pauses.
    pub(super) async fn step(
        &mut self,
        frames: &mut Frames,
        emit: &mut Emit<'_>,
        budget: &mut Budget,
        out: &mut Batch,
    ) -> Result<Step> {
        loop {
            if let Some(step) = self.drain(frames, emit, budget, out)? {
                return Ok(step);
            }
            if !out.is_empty() && frames.try_read().await? {
                continue;
            }
            match timeout(PATIENCE, frames.read()).await {
                Ok(read) => read?,
                Err(_) => return Ok(Step::Waiting),
            }
        }
    }

    /// Reads the rows that lie in the buffer, and takes them as one frame. `None` when more must come.
    fn drain(
        &mut self,
        frames: &mut Frames,
        emit: &mut Emit<'_>,
        budget: &mut Budget,
        out: &mut Batch,
    ) -> Result<Option<Step>> {
        let records = out.len();
        let mut at = 0;
        let mut last_line: Option<Range<usize>> = None;
        let step = loop {
            if out.len() >= BATCH_ROWS || budget.bytes + at >= BATCH_BYTES {
                break Some(Step::Full);
            }
            let Some(message) = frames.message_at(at)? else {
                break None;
            };
            let body = message.body.clone();
            if message.tag == b'd' {
                // The last row says so, hence a row waits for what comes behind it.
                let Some(next) = frames.message_at(body.end)? else {
                    break None;
                };
                let (first, last) = (self.rows == 0, next.tag != b'd');
                let frame = Frame {
                    bytes: frames.bytes(),
                    index: budget.frames,
                };
                let line = frame.bytes.get(body.clone()).unwrap_or(&[]);
                let table = &emit.planned.table;
                match copy::row(table, line, frame, &mut self.cells, out) {
                    Ok(()) => {
                        let marker = emit.marks.of(first, last);
                        emit.writer.read(table, emit.lsn, marker, &self.cells, out);
                    }
                    Err(error) => decode::leave_out(table.processing, error)?,
                }
                self.rows += 1;
                self.has_all = last;
                last_line = Some(body.clone());
            } else if self.other(message.tag, frames.bytes().get(body.clone()).unwrap_or(&[]))? {
                at = body.end;
                break Some(Step::End);
            }
            at = body.end;
        };
        if let Some(line) = last_line.and_then(|range| frames.bytes().get(range))
            && !self.order.is_empty()
        {
            self.last_key = copy::texts(line, &self.order);
        }
        if out.len() > records {
            out.push_frame(frames.take(at));
            budget.frames += 1;
            budget.bytes += at;
        } else {
            frames.skip(at);
        }
        Ok(step)
    }

    /// Whether a message that is no row ends the COPY.
    fn other(&mut self, tag: u8, body: &[u8]) -> Result<bool> {
        match tag {
            b'c' => self.ended = true,
            b'E' => return Err(server_error(body).into()),
            b'Z' if self.ended => return Ok(true),
            b'Z' => return Err(error::protocol("a COPY ended without its end")),
            _ => {}
        }
        Ok(false)
    }
}
