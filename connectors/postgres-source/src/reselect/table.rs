//! What can be read again of one table.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use connect_core::Cell;

use super::{BYTES, Settings};
use crate::{
    catalog::{TableInfo, quoted},
    relations::Table,
};

/// Made once for each table.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The table in SQL.
    pub from: String,
    /// The columns that may be read again.
    pub columns: Vec<Wanted>,
    /// The columns that find its rows.
    pub key: Vec<KeyColumn>,
    /// Whether values that were not sent are read.
    pub absent: bool,
    /// Whether nulls are.
    pub nulls: bool,
    /// Whether the task fails when a row cannot be read.
    pub fails: bool,
    /// What a row that waits is taken to bring.
    bytes: AtomicUsize,
    /// Whether the log says that a key is not known.
    is_told: AtomicBool,
}

/// A column that may be read again.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Its place among the cells of a row, masked ones behind the others.
    pub at: usize,
    /// Its place in the row's struct.
    pub place: usize,
    /// Its name in SQL.
    pub name: String,
}

/// A column of the key.
#[derive(Debug)]
pub(crate) struct KeyColumn {
    /// Its place on the wire.
    pub at: u16,
    /// Its name in SQL.
    pub name: String,
    /// Its type in SQL.
    pub type_name: String,
}

impl Plan {
    /// Of columns that are found by a key.
    pub(super) fn new(
        settings: &Settings,
        from: String,
        columns: Vec<Wanted>,
        key: Vec<KeyColumn>,
    ) -> Self {
        Self {
            from,
            columns,
            key,
            absent: settings.absent,
            nulls: settings.nulls,
            fails: settings.fails,
            // Carefully at first.
            bytes: AtomicUsize::new(BYTES / 4),
            is_told: AtomicBool::new(false),
        }
    }

    /// What a row that waits is taken to bring: as much as the largest that came last, or half of what was thought before.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Learns from the largest row of a query.
    pub(super) fn learn(&self, largest: usize) {
        let bytes = largest.max(self.bytes() / 2);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Whether this is the first time that the log hears of a key that is not known.
    pub(super) fn tell(&self) -> bool {
        !self.is_told.swap(true, Ordering::Relaxed)
    }

    /// Of a table of the stream; `None` when nothing of it is read again, or nothing tells its rows apart.
    pub(crate) fn of(settings: &Settings, info: &TableInfo, table: &Table) -> Option<Self> {
        let places: Vec<u16> = match settings.event_key {
            true => table.key_columns().collect(),
            // Only records with a key are looked at.
            false if table.key.is_empty() => Vec::new(),
            false => {
                let place = |name: &String| info.columns.iter().position(|c| c.name == *name);
                let places = info.key.iter().map(|name| u16::try_from(place(name)?).ok());
                places.collect::<Option<_>>()?
            }
        };
        let key = |at: u16| {
            let column = info.columns.get(usize::from(at))?;
            (!column.type_name.is_empty()).then(|| KeyColumn {
                at,
                name: quoted(&column.name),
                type_name: column.type_name.clone(),
            })
        };
        let key: Vec<KeyColumn> = places.into_iter().map(key).collect::<Option<_>>()?;
        let columns = wanted(settings, info, table);
        (!key.is_empty() && !columns.is_empty())
            .then(|| Self::new(settings, info.table_name(), columns, key))
    }

    /// Which columns a row lacks, as indexes of `columns`.
    pub(super) fn lacking(&self, row: &[Cell]) -> Vec<u16> {
        let lacks = |wanted: &Wanted| match row.get(wanted.place) {
            Some(Cell::Absent) => self.absent,
            Some(Cell::Null) => self.nulls,
            _ => false,
        };
        let columns = (0u16..).zip(&self.columns);
        let lacking = columns.filter(|(_, wanted)| lacks(wanted));
        lacking.map(|(at, _)| at).collect()
    }
}

fn wanted(settings: &Settings, info: &TableInfo, table: &Table) -> Vec<Wanted> {
    let all: Vec<u16>;
    let row = match &table.row {
        Some(row) => &**row,
        None => {
            all = (0u16..).take(info.columns.len()).collect();
            &all
        }
    };
    let mut wanted = Vec::new();
    for (place, at) in row.iter().map(|at| usize::from(*at)).enumerate() {
        let wire = match at.checked_sub(info.columns.len()) {
            Some(masked) => table.masked.get(masked).map(|(wire, _)| usize::from(*wire)),
            None => Some(at),
        };
        let Some(column) = wire.and_then(|wire| info.columns.get(wire)) else {
            continue;
        };
        if settings.passes(&format!("{}:{}", info.full_name(), column.name)) {
            let name = quoted(&column.name);
            wanted.push(Wanted { at, place, name });
        }
    }
    wanted
}
