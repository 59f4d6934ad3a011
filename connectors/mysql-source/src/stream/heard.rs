//! What changes mean besides their records: to a chunk that waits, and as signals.

use cdc::{signal::Signal, text::Frame};
use connect_core::{Batch, Cell};

use crate::{
    binlog::Operation, ddl::Kind, incremental::Window, signals, tables::Table, versions::TableName,
};

/// Listens to rows and statements.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The chunk that waits for what the stream brings.
    pub(super) window: Option<Window>,
    /// The signals that have come.
    signals: Vec<Signal>,
    /// The full name of the signal table.
    signal_table: Option<String>,
}

/// A changed row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed<'a> {
    pub(super) table: &'a Table,
    pub(super) operation: Operation,
    pub(super) old: &'a [Cell],
    pub(super) new: &'a [Cell],
    /// The frame that is not part of the batch yet.
    pub(super) frame: Option<Frame<'a>>,
}

impl Heard {
    /// Takes rows of this table for signals.
    pub(super) fn new(signal_table: Option<String>) -> Self {
        Self {
            signal_table,
            ..Self::default()
        }
    }

    /// Takes the signals that have come.
    pub(super) fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    /// Whether rows of a table mean something.
    #[inline]
    pub(super) fn concerns(&self, table: &Table) -> bool {
        self.window.as_ref().is_some_and(|it| it.is_of(table)) || self.is_signals(table)
    }

    fn is_signals(&self, table: &Table) -> bool {
        self.signal_table.as_deref() == Some(&*table.name)
    }

    /// A row is as old as the chunk or newer.
    pub(super) fn changed(&mut self, row: Changed<'_>, out: &Batch) {
        let Some(window) = self.window.as_mut().filter(|it| it.is_of(row.table)) else {
            return;
        };
        if row.operation != Operation::Insert {
            window.changed(row.old, row.frame, out);
        }
        if row.operation != Operation::Delete {
            window.changed(row.new, row.frame, out);
        }
    }

    /// A row that was not obeyed before may be a signal.
    pub(super) fn told(&mut self, row: Changed<'_>, out: &Batch) {
        if self.is_signals(row.table) {
            self.signals.extend(match row.operation {
                Operation::Insert => signals::of_row(row.new, row.frame, out),
                Operation::Delete => signals::of_deletion(row.old, row.frame, out),
                Operation::Update | Operation::PartialUpdate => None,
            });
        }
    }

    /// A statement on a table.
    pub(super) fn altered(&mut self, name: &TableName, kind: Kind) {
        if let Some(window) = &mut self.window {
            window.altered(name, kind);
        }
    }

    /// A statement on a database.
    pub(super) fn altered_database(&mut self, name: &str) {
        if let Some(window) = &mut self.window {
            window.altered_database(name);
        }
    }
}
