//! A table, compiled: everything that its rows need and that does not change from row to row.

use std::sync::Arc;

use connect_core::{Batch, Cell, Error, Field, Result, Route, Schema, Value};

use crate::{
    envelope,
    modes::{Failing, Processing},
    topics::TableNames,
};

/// The place of a key's field that has the same value in every row.
pub const CONSTANT: u16 = u16::MAX;

/// A compiled table. `O` is how a connector makes cells of a column's values, `X` what it knows of a table besides.
#[derive(Debug)]
pub struct Table<O, X = ()> {
    /// `schema.table`, or `database.table`
    pub name: Arc<str>,
    /// Topic, key schema and envelope.
    pub route: Arc<Route>,
    /// The same without a value schema, as Kafka Connect has it for tombstones.
    pub tombstone: Arc<Route>,
    /// The same without a key schema, for truncates.
    pub keyless: Arc<Route>,
    /// One for each column that the server sends.
    pub columns: Box<[Column<O>]>,
    /// Which of them make the row; `None` for all of them.
    pub row: Option<Box<[u16]>>,
    /// Which of them make the key; empty for none.
    pub key: Box<[u16]>,
    /// Columns that the row shows in another way than the key: their cells come behind those of all columns.
    pub masked: Box<[(u16, Column<O>)]>,
    /// Whether updates are left out that change nothing that is shown.
    pub skip_unchanged: bool,
    /// What becomes of values that cannot be decoded.
    pub failing: Failing,
    /// What becomes of rows with such values, where these are failures.
    pub processing: Processing,
    /// What its connector knows besides.
    pub extra: X,
}

/// A column that the server sends.
#[derive(Debug)]
pub struct Column<O> {
    /// How its values become cells.
    pub op: O,
    /// What stands where null may not.
    pub fallback: Option<Fallback>,
}

/// The value of a required column that was not sent, or that nothing else stands for: its default, else its type's zero.
#[derive(Debug)]
pub struct Fallback {
    /// The column's schema.
    pub schema: Arc<Schema>,
    /// The value.
    pub value: Value,
}

impl Fallback {
    /// Its cell.
    pub fn cell(&self, out: &mut Batch) -> Cell {
        out.push_value(&self.value, Some(&self.schema))
    }
}

impl<O> Column<O> {
    /// Null, or what stands for it in a required column.
    #[inline]
    pub fn null(&self, out: &mut Batch) -> Cell {
        match &self.fallback {
            None => Cell::Null,
            Some(fallback) => fallback.cell(out),
        }
    }
}

impl<O, X> Table<O, X> {
    /// Whether its rows show a column.
    pub fn shows(&self, at: u16) -> bool {
        let masked = || self.masked.iter().any(|(column, _)| *column == at);
        self.row
            .as_ref()
            .is_none_or(|row| row.contains(&at) || masked())
    }

    /// The places of the columns in its key.
    pub fn key_columns(&self) -> impl Iterator<Item = u16> {
        let places = self.key.iter().copied();
        places.filter(|place| *place != CONSTANT)
    }

    /// A column by its place among the cells of a row, masked ones behind the others.
    pub fn column(&self, at: usize) -> Option<&Column<O>> {
        let masked = || Some(&self.masked.get(at.checked_sub(self.columns.len())?)?.1);
        self.columns.get(at).or_else(masked)
    }

    /// The row's struct.
    #[inline]
    pub fn row(&self, cells: &[Cell], out: &mut Batch) -> Cell {
        match &self.row {
            None => out.push_nest(cells),
            Some(places) => pick(places, cells, out),
        }
    }

    /// The key's struct; null for a table without key.
    #[inline]
    pub fn key(&self, cells: &[Cell], out: &mut Batch) -> Cell {
        if self.key.is_empty() {
            return Cell::Null;
        }
        pick(&self.key, cells, out)
    }

    /// What stands for a value that cannot be decoded; `at` is the column's place among the cells.
    #[cold]
    pub fn failed(&self, at: usize, error: Error, out: &mut Batch) -> Result<Cell> {
        let is_key = u16::try_from(at).is_ok_and(|at| self.key.contains(&at));
        if is_key || self.failing == Failing::Fail {
            return Err(error.context("table", &self.name));
        }
        if self.failing == Failing::Warn {
            let position = at + 1;
            tracing::warn!(table = %self.name, position, %error, "a value is left out");
        }
        let column = self.column(at);
        Ok(column.map_or(Cell::Null, |column| column.null(out)))
    }
}

/// The cells of some places; a place behind all of them has the same value in every row.
#[inline]
fn pick(places: &[u16], cells: &[Cell], out: &mut Batch) -> Cell {
    let nest = out.reserve_nest(places.len());
    for (to, place) in out.cells_mut(nest).iter_mut().zip(places) {
        *to = cells
            .get(usize::from(*place))
            .copied()
            .unwrap_or(Cell::Const);
    }
    Cell::Nest(nest)
}

/// A column before its table is compiled.
#[derive(Debug)]
pub struct Planned<O> {
    /// Its name.
    pub name: String,
    /// How its values become cells, and its field as keys show it; none when nothing shows it.
    pub plain: Option<(Column<O>, Field)>,
    /// Its field as rows show it; none when they do not.
    pub shown: Option<Field>,
    /// How its values become cells in rows, where they are hidden there.
    pub hidden: Option<Column<O>>,
}

/// A table before it is compiled.
#[derive(Debug)]
pub struct Plan<'a, X> {
    /// `schema.table`, or `database.table`
    pub name: String,
    /// Its topic and the names of its schemas.
    pub names: TableNames,
    /// The columns of its key.
    pub key: &'a [String],
    /// A field of the key that has the same value in every row.
    pub key_constant: Option<Field>,
    /// The schema of its `source` block.
    pub source: Arc<Schema>,
    /// See [`Table::skip_unchanged`].
    pub skip_unchanged: bool,
    /// See [`Table::failing`].
    pub failing: Failing,
    /// See [`Table::processing`].
    pub processing: Processing,
    /// See [`Table::extra`].
    pub extra: X,
}

impl<X> Plan<'_, X> {
    /// Compiles the table; `skip` is what is done with the values of columns that nothing shows.
    pub fn compile<O: Clone>(self, columns: Vec<Planned<O>>, skip: &O) -> Table<O, X> {
        let (key, key_fields) = self.key(&columns);
        let (mut row, mut row_fields, mut masked) = (Vec::new(), Vec::new(), Vec::new());
        let mut compiled = Vec::with_capacity(columns.len());
        let count = columns.len();
        for (at, column) in (0u16..).zip(columns) {
            if let Some(field) = column.shown {
                row_fields.push(field);
                match (column.hidden, u16::try_from(count + masked.len())) {
                    (Some(hidden), Ok(place)) => {
                        masked.push((at, hidden));
                        row.push(place);
                    }
                    _ => row.push(at),
                }
            }
            compiled.push(column.plain.map_or_else(
                || Column {
                    op: skip.clone(),
                    fallback: None,
                },
                |(column, _)| column,
            ));
        }
        let names = self.names;
        let value = envelope::envelope_schema(
            &names,
            &envelope::row_schema(&names, row_fields),
            &self.source,
        );
        let key_schema = envelope::key_schema(&names, key_fields);
        let is_whole = row.len() == count && masked.is_empty();
        let topic = || Arc::clone(&names.topic);
        Table {
            name: self.name.into(),
            route: Route::new(topic(), key_schema.clone(), Some(Arc::clone(&value))),
            keyless: Route::new(topic(), None, Some(value)),
            tombstone: Route::new(topic(), key_schema, None),
            columns: compiled.into(),
            row: (!is_whole).then(|| row.into()),
            key: key.into(),
            masked: masked.into(),
            skip_unchanged: self.skip_unchanged,
            failing: self.failing,
            processing: self.processing,
            extra: self.extra,
        }
    }

    /// The places and fields of the key.
    fn key<O>(&self, columns: &[Planned<O>]) -> (Vec<u16>, Vec<Field>) {
        let place = |name: &String| {
            let is_it = |column: &Planned<O>| column.name.eq_ignore_ascii_case(name);
            let at = columns.iter().position(is_it)?;
            let (_, field) = columns.get(at)?.plain.as_ref()?;
            Some((u16::try_from(at).ok()?, field.clone()))
        };
        let found = self.key.iter().filter_map(place);
        let constant = self.key_constant.clone().map(|field| (CONSTANT, field));
        found.chain(constant).unzip()
    }
}
