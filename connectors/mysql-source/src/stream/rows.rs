//! Changed rows into records.

use cdc::{
    modes::SkippedOperations,
    text::{Frame, spanned},
};
use connect_core::{Batch, Cell, Result};

use super::{
    heard::{Changed, Heard},
    reader::Cells,
};
use crate::{
    binlog::{self, EVENT_LIMIT, Image, Inflater, Operation},
    change::ChangeWriter,
    course::Course,
    decode::{Partial, Rows, Target, columns_differ, differences},
    error,
    known::Tables,
    tables::Table,
    wire::Fields,
};

/// Reads changed rows.
#[derive(Debug)]
pub(super) struct RowReader {
    skipped: SkippedOperations,
    new: Cells,
    old: Cells,
    inflater: Inflater,
}

impl RowReader {
    pub(super) fn new(skipped: SkippedOperations) -> Self {
        Self {
            skipped,
            new: Cells::new(),
            old: Cells::new(),
            inflater: Inflater::new(EVENT_LIMIT),
        }
    }

    pub(super) fn skips_truncates(&self) -> bool {
        self.skipped.truncate
    }

    /// Reads the rows of an event.
    pub(super) fn read(
        &mut self,
        rows: &binlog::Rows<'_>,
        tables: &Tables,
        frame: Option<Frame<'_>>,
        (course, writer, heard): (&mut Course, &mut ChangeWriter, &mut Heard),
        out: &mut Batch,
    ) -> Result<()> {
        let known = tables
            .get(rows.table)
            .ok_or_else(|| error::protocol("changed rows name a table that was not announced"))?;
        let Some(table) = known.table.as_deref() else {
            return Ok(());
        };
        if rows.columns != known.layouts.len() {
            return Err(columns_differ().context("table", &table.name));
        }
        let is_left_out = match rows.operation {
            Operation::Insert => self.skipped.create,
            Operation::Update | Operation::PartialUpdate => self.skipped.update,
            Operation::Delete => self.skipped.delete,
        };
        let is_heard = heard.concerns(table);
        if is_left_out && !is_heard {
            return Ok(());
        }
        let of = Rows {
            table,
            layouts: &known.layouts,
            frame,
        };
        let mut data = rows.images()?;
        let mut nth = 0;
        while rows.has_more(nth, &data) {
            let is_new = course.wants(nth);
            let wanted = is_new && !is_left_out;
            let arena = out.arena().len();
            self.row(rows, of, &mut data, (nth, wanted), writer, out)?;
            if is_heard {
                self.overhear(of, (rows.operation, is_new), heard, out);
            }
            if wanted {
                course.done(nth + 1);
            } else {
                out.arena().truncate(arena);
            }
            nth += 1;
        }
        Ok(())
    }

    /// What a row means to the chunk that waits, and whether it is a signal.
    fn overhear(
        &self,
        of: Rows<'_>,
        (operation, is_new): (Operation, bool),
        heard: &mut Heard,
        out: &Batch,
    ) {
        let row = Changed {
            table: of.table,
            operation,
            old: &self.old,
            new: &self.new,
            frame: of.frame,
        };
        let is_update = matches!(operation, Operation::Update | Operation::PartialUpdate);
        if !(is_update && self.skipped.update) {
            heard.changed(row, out);
        }
        if is_new {
            heard.told(row, out);
        }
    }

    #[inline]
    fn row<'a>(
        &mut self,
        rows: &binlog::Rows<'a>,
        of: Rows<'a>,
        data: &mut Fields<'a>,
        (nth, wanted): (u64, bool),
        writer: &mut ChangeWriter,
        out: &mut Batch,
    ) -> Result<()> {
        let Self {
            new, old, inflater, ..
        } = self;
        let first = Image(rows.first);
        match rows.operation {
            Operation::Insert => {
                let cells = &mut *new;
                let to = Target {
                    inflater,
                    cells,
                    out,
                };
                of.image(first, data, (None, None), to)?;
                if wanted {
                    writer.create(of.table, nth, new, out);
                }
            }
            Operation::Delete => {
                let cells = &mut *old;
                let to = Target {
                    inflater,
                    cells,
                    out,
                };
                of.image(first, data, (None, None), to)?;
                if wanted {
                    writer.delete(of.table, nth, old, out);
                }
            }
            Operation::Update | Operation::PartialUpdate => {
                self.both(rows, of, data, out)?;
                if wanted {
                    self.updated(of.table, nth, of.frame, writer, out);
                }
            }
        }
        Ok(())
    }

    /// The images before and after a change.
    #[inline]
    fn both<'a>(
        &mut self,
        rows: &binlog::Rows<'a>,
        of: Rows<'a>,
        data: &mut Fields<'a>,
        out: &mut Batch,
    ) -> Result<()> {
        let Self {
            new, old, inflater, ..
        } = self;
        let (first, before) = (Image(rows.first), data.rest());
        let cells = &mut *old;
        let to = Target {
            inflater,
            cells,
            out,
        };
        of.image(first, data, (None, None), to)?;
        let bits = differences(rows.operation, of.layouts, data)?;
        let partial = bits.map(|bits| Partial {
            bits,
            before: (before, first),
        });
        let to = Target {
            inflater,
            cells: new,
            out,
        };
        of.image(Image(rows.second), data, (partial, Some(old)), to)
    }

    fn updated(
        &mut self,
        table: &Table,
        nth: u64,
        frame: Option<Frame<'_>>,
        writer: &mut ChangeWriter,
        out: &mut Batch,
    ) {
        let (old, new) = (&self.old, &self.new);
        let is_same = |at: &u16| {
            let at = usize::from(*at);
            same(old.get(at), new.get(at), frame, out)
        };
        let mut columns = 0..u16::try_from(new.len()).unwrap_or(u16::MAX);
        if table.skip_unchanged && columns.all(|at| !table.shows(at) || is_same(&at)) {
            return;
        }
        let is_rekeyed = !table.key_columns().all(|at| is_same(&at));
        match is_rekeyed {
            // What is left out is left out by what the server did, which was an update.
            true => writer.rekey(table, nth, (old, new), SkippedOperations::default(), out),
            false => writer.update(table, nth, (old, new), out),
        }
    }
}

/// Whether two cells of a column are the same value.
fn same(one: Option<&Cell>, other: Option<&Cell>, frame: Option<Frame<'_>>, out: &Batch) -> bool {
    match (one, other) {
        (Some(Cell::Span(one)), Some(Cell::Span(other))) => {
            spanned(*one, frame, out) == spanned(*other, frame, out)
        }
        (_, Some(Cell::Absent)) => true,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests;
