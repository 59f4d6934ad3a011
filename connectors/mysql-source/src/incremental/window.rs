//! The rows of one chunk, less those that the stream brings meanwhile.

use std::{ops::Range, sync::Arc};

use cdc::{
    incremental,
    text::{Frame, spanned},
};
use connect_core::{Batch, Cell, Result};
use rustc_hash::FxHashMap;

use super::{chunk::Lines, order::Order, send::Rows};
use crate::{
    catalog::TableInfo, convert::Op, ddl::Kind, shown, tables::Table, versions::TableName,
};

/// A chunk that waits for the stream to come to where it was read.
///
/// What the stream brings of a row in the meantime is as new as the row here or newer, so that the row is dropped.
#[derive(Debug)]
pub(crate) struct Window {
    name: TableName,
    table: Arc<Table>,
    order: Arc<Order>,
    lines: Lines,
    /// Whether each row is still to be sent.
    is_left: Vec<bool>,
    /// The columns that tell rows apart; none for a table of which no row is dropped.
    key: Box<[u16]>,
    by_key: FxHashMap<Box<[u8]>, u32>,
    is_void: bool,
    scratch: Vec<u8>,
}

impl Window {
    /// The rows of a table. Of one without a key no row is dropped.
    pub(super) fn new(
        info: &TableInfo,
        (table, order): (&Arc<Table>, &Arc<Order>),
        lines: Lines,
    ) -> Result<Self> {
        let mut window = Self {
            name: (info.database.clone(), info.name.clone()),
            key: key(info, table),
            is_left: vec![true; lines.rows.len()],
            table: Arc::clone(table),
            order: Arc::clone(order),
            lines,
            by_key: FxHashMap::default(),
            is_void: false,
            scratch: Vec::new(),
        };
        if !window.key.is_empty() {
            window.index()?;
        }
        Ok(window)
    }

    fn index(&mut self) -> Result<()> {
        let (mut out, mut cells) = (Batch::default(), Vec::new());
        for (at, row) in (0u32..).zip(&self.lines.rows) {
            out.clear();
            let row = self.lines.bytes.get(row.clone()).unwrap_or_default();
            shown::row(&self.table, row, None, &mut cells, &mut out)?;
            self.scratch.clear();
            if write_key(&self.key, &cells, None, &out, &mut self.scratch) {
                self.by_key.insert(self.scratch.as_slice().into(), at);
            }
        }
        Ok(())
    }

    /// Whether rows of a table are of concern.
    #[inline]
    pub(crate) fn is_of(&self, table: &Table) -> bool {
        self.table.name == table.name
    }

    /// Takes notice of a row that the stream brings, as it is or as it was.
    pub(crate) fn changed(&mut self, cells: &[Cell], frame: Option<Frame<'_>>, out: &Batch) {
        if self.key.is_empty() {
            return;
        }
        self.scratch.clear();
        if !write_key(&self.key, cells, frame, out, &mut self.scratch) {
            // A key that was not sent: nobody knows which row it is.
            self.is_void = true;
            return;
        }
        if let Some(at) = self.by_key.remove(self.scratch.as_slice())
            && let Some(is_left) = self.is_left.get_mut(at as usize)
        {
            *is_left = false;
        }
    }

    /// Takes notice of a statement on a table: one that is emptied has no rows, one that is altered has others.
    pub(crate) fn altered(&mut self, name: &TableName, kind: Kind) {
        if *name == self.name {
            match kind {
                Kind::Truncate => self.is_left.fill(false),
                _ => self.is_void = true,
            }
        }
    }

    /// Takes notice of a statement on a whole database.
    pub(crate) fn altered_database(&mut self, name: &str) {
        self.is_void |= self.name.0 == name;
    }
}

impl incremental::Window for Window {
    type Rows = Rows;

    fn is_void(&self) -> bool {
        self.is_void
    }

    fn into_rows(self) -> Option<Rows> {
        let rows = self.lines.rows.into_iter().zip(self.is_left);
        let left = rows.filter(|(_, is_left)| *is_left);
        let rows: Vec<Range<usize>> = left.map(|(row, _)| row).collect();
        (!rows.is_empty()).then_some(Rows {
            table: self.table,
            order: self.order,
            bytes: self.lines.bytes,
            rows,
            at: 0,
        })
    }
}

/// The columns that tell rows apart: those of the table's own key, which are in every row image; else those of the message key.
fn key(info: &TableInfo, table: &Table) -> Box<[u16]> {
    let place = |name: &String| {
        let is_it = |column: &crate::catalog::ColumnInfo| column.name == *name;
        let at = info.columns.iter().position(is_it)?;
        let op = &table.columns.get(at)?.op;
        u16::try_from(at).ok().filter(|_| !matches!(op, Op::Skip))
    };
    let own: Option<Box<[u16]>> = info.key.iter().map(place).collect();
    match own {
        Some(own) if !own.is_empty() => own,
        _ => table.key_columns().collect(),
    }
}

/// Appends the cells of a key, so that no two keys are written alike, and numbers are the same however they came. False when one
/// of them was not sent.
fn write_key(
    key: &[u16],
    cells: &[Cell],
    frame: Option<Frame<'_>>,
    batch: &Batch,
    to: &mut Vec<u8>,
) -> bool {
    for place in key {
        let start = to.len();
        to.extend([0; 5]);
        match cells.get(usize::from(*place)) {
            None | Some(Cell::Absent) => return false,
            Some(Cell::Null) => {}
            Some(cell) => {
                write_cell(*cell, frame, batch, to);
                let len = u32::try_from(to.len() - start).unwrap_or(u32::MAX);
                if let Some(head) = to.get_mut(start..start + 5) {
                    head[0] = 1;
                    head[1..].copy_from_slice(&len.to_le_bytes());
                }
            }
        }
    }
    true
}

fn write_cell(cell: Cell, frame: Option<Frame<'_>>, batch: &Batch, to: &mut Vec<u8>) {
    match cell {
        Cell::Int(number) => to.extend(itoa::Buffer::new().format(number).bytes()),
        Cell::Float(number) => to.extend(number.to_bits().to_le_bytes()),
        Cell::Span(span) => to.extend(spanned(span, frame, batch)),
        Cell::Nest(nest) => {
            for cell in batch.cells(nest) {
                write_cell(*cell, frame, batch, to);
                to.push(0);
            }
        }
        other => to.extend(format!("{other:?}").bytes()),
    }
}
