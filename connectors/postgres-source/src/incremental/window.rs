//! The rows of one chunk, less those that the stream brings meanwhile.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use cdc::incremental;
use rustc_hash::FxHashMap;

use super::{chunk::Order, send::Rows};
use crate::{
    catalog::{ColumnInfo, TableInfo},
    copy,
    pgoutput::{self, Message, Old, Tuple, Value},
    relations::{Known, Relations, Table},
};

/// A chunk that waits for the stream to come to where it was read.
///
/// What the stream brings of a row in the meantime is as new as the row here or newer, so that the row is dropped.
#[derive(Debug)]
pub(crate) struct Window {
    oid: u32,
    columns: Vec<ColumnInfo>,
    table: Arc<Table>,
    order: Arc<Order>,
    /// The lines of the chunk, as COPY wrote them.
    lines: Bytes,
    /// Where each row lies, in the order of the key; `None` for one that was dropped.
    rows: Vec<Option<Range<usize>>>,
    by_key: FxHashMap<Box<[u8]>, u32>,
    is_void: bool,
    scratch: Vec<u8>,
}

impl Window {
    /// The rows of a table. Of one without a message key no row is dropped.
    pub(super) fn new(
        info: &TableInfo,
        (table, order): (&Arc<Table>, &Arc<Order>),
        lines: Bytes,
        rows: Vec<Range<usize>>,
    ) -> Self {
        let key: Vec<u16> = table.key_columns().collect();
        let mut by_key = FxHashMap::default();
        let mut scratch = Vec::new();
        if !key.is_empty() {
            for (at, row) in (0u32..).zip(&rows) {
                let line = lines.get(row.clone()).unwrap_or(&[]);
                scratch.clear();
                let texts = copy::texts_or_null(line, &key);
                texts
                    .iter()
                    .for_each(|text| put(text.as_deref(), &mut scratch));
                by_key.insert(scratch.as_slice().into(), at);
            }
        }
        Self {
            oid: info.oid,
            columns: info.columns.clone(),
            table: Arc::clone(table),
            order: Arc::clone(order),
            lines,
            rows: rows.into_iter().map(Some).collect(),
            by_key,
            is_void: false,
            scratch,
        }
    }

    /// Takes notice of a change.
    pub(crate) fn changed(&mut self, message: &Message<'_>, relations: &Relations) {
        match message {
            Message::Insert { relation, new } if *relation == self.oid => {
                self.drop_row(*new, relations);
            }
            Message::Update { relation, old, new } if *relation == self.oid => {
                if let Some(Old { tuple, .. }) = old {
                    self.drop_row(*tuple, relations);
                }
                self.drop_row(*new, relations);
            }
            Message::Delete { relation, old } if *relation == self.oid => {
                self.drop_row(old.tuple, relations);
            }
            Message::Truncate { count, relations } => {
                let ids = pgoutput::relation_ids(*count, relations).unwrap_or_default();
                if ids.contains(&self.oid) {
                    self.rows.clear();
                    self.by_key.clear();
                }
            }
            _ => {}
        }
    }

    /// The stream has come to this shape of a table. When it is not that of the chunk, the chunk has to be read again.
    pub(crate) fn shaped(&mut self, info: &TableInfo) {
        let same = |(one, other): (&ColumnInfo, &ColumnInfo)| {
            one.name == other.name && one.type_oid == other.type_oid
        };
        let pairs = self.columns.iter().zip(&info.columns);
        let is_same = self.columns.len() == info.columns.len() && pairs.into_iter().all(same);
        self.is_void |= info.oid == self.oid && !is_same;
    }

    fn drop_row(&mut self, tuple: Tuple<'_>, relations: &Relations) {
        let Some(Known::Table(table)) = relations.get(self.oid) else {
            return;
        };
        if self.by_key.is_empty() {
            return;
        }
        self.scratch.clear();
        for place in table.key_columns() {
            match tuple.values().nth(usize::from(place)) {
                Some(Ok(Value::Text(text))) => put(Some(text), &mut self.scratch),
                Some(Ok(Value::Null)) => put(None, &mut self.scratch),
                // A key that was not sent: nobody knows which row it is.
                _ => {
                    self.is_void = true;
                    return;
                }
            }
        }
        if let Some(at) = self.by_key.remove(self.scratch.as_slice())
            && let Some(row) = self.rows.get_mut(at as usize)
        {
            *row = None;
        }
    }
}

impl incremental::Window for Window {
    type Rows = Rows;

    fn is_void(&self) -> bool {
        self.is_void
    }

    fn into_rows(self) -> Option<Rows> {
        let rows: Vec<Range<usize>> = self.rows.into_iter().flatten().collect();
        (!rows.is_empty()).then_some(Rows {
            table: self.table,
            order: self.order,
            lines: self.lines,
            rows,
            at: 0,
        })
    }
}

/// One part of a key, so that no two keys are written alike.
fn put(text: Option<&[u8]>, out: &mut Vec<u8>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text);
        }
    }
}
