//! Relation ids to compiled tables.

mod foresight;

use std::sync::Arc;

use cdc::{adjust::Adjustment, envelope, text::Text, topics::TableNames};
use connect_core::{Batch, Datum, Field, Result, Route, Schema, Type, Value};
use rustc_hash::FxHashMap;

use self::foresight::Foresight;
use crate::{
    captured::Captured,
    catalog::{self, ColumnInfo, TableInfo},
    config::{Failing, PostgresConfig, Processing, Unavailable},
    convert::{self, Op},
    default::{self, Default},
    mask,
    pgoutput::{self, Relation},
    reselect, source,
    types::{Customs, Modes},
    wire::Connection,
};

/// The place of a key's field that has the same value in every row.
pub(crate) const CONSTANT: u16 = u16::MAX;

/// A table, compiled: everything that its rows need and that does not change from row to row.
#[derive(Debug)]
pub(crate) struct Table {
    /// `schema.table`
    pub name: Arc<str>,
    /// Topic, key schema and envelope.
    pub route: Arc<Route>,
    /// The same without a value schema, as Kafka Connect has it for tombstones.
    pub tombstone: Arc<Route>,
    /// The same without a key schema, for truncates.
    pub keyless: Arc<Route>,
    /// One for each column on the wire.
    pub columns: Box<[Column]>,
    /// Which of them make the row; `None` for all of them.
    pub row: Option<Box<[u16]>>,
    /// Which of them make the key; empty for none.
    pub key: Box<[u16]>,
    /// Columns that the row shows in another way than the key: their cells come behind those of all columns.
    pub masked: Box<[(u16, Column)]>,
    /// What is read again of its rows, if anything.
    pub reselected: Option<Box<reselect::Plan>>,
    /// Whether updates are left out that change nothing that is shown.
    pub skip_unchanged: bool,
    /// What becomes of values that cannot be decoded.
    pub failing: Failing,
    /// What becomes of rows with such values, where these are failures.
    pub processing: Processing,
}

impl Table {
    /// Whether its rows show a column.
    pub(crate) fn shows(&self, at: u16) -> bool {
        let masked = || self.masked.iter().any(|(column, _)| *column == at);
        self.row
            .as_ref()
            .is_none_or(|row| row.contains(&at) || masked())
    }

    /// The places of the columns in its key.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = u16> {
        let places = self.key.iter().copied();
        places.filter(|place| *place != CONSTANT)
    }

    /// A column by its place among the cells of a row, masked ones behind the others.
    pub(crate) fn column(&self, at: usize) -> Option<&Column> {
        let masked = || Some(&self.masked.get(at.checked_sub(self.columns.len())?)?.1);
        self.columns.get(at).or_else(masked)
    }
}

/// A column on the wire.
#[derive(Debug)]
pub(crate) struct Column {
    /// How its text becomes a cell.
    pub op: Op,
    /// What stands where null may not.
    pub fallback: Option<Fallback>,
}

/// The value of a required column that the server did not log (its default, else its type's zero).
#[derive(Debug)]
pub(crate) struct Fallback {
    pub schema: Arc<Schema>,
    pub value: Value,
}

impl Fallback {
    /// Its cell.
    pub(crate) fn cell(&self, out: &mut Batch) -> connect_core::Cell {
        out.push_value(&self.value, Some(&self.schema))
    }
}

/// What a relation id stands for.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// A captured table.
    Table(Arc<Table>),
    /// A table that the filters do not pass.
    Ignored,
}

/// The tables of a stream.
#[derive(Debug)]
pub(crate) struct Relations {
    compiler: Compiler,
    /// The relation whose rows are signals.
    signals: Option<u32>,
    by_id: FxHashMap<u32, Known>,
    layouts: FxHashMap<u32, TableInfo>,
    foresight: Foresight,
}

impl Relations {
    /// No table known yet.
    pub(crate) fn new(compiler: Compiler) -> Self {
        Self {
            compiler,
            signals: None,
            by_id: FxHashMap::default(),
            layouts: FxHashMap::default(),
            foresight: Foresight::default(),
        }
    }

    /// What a relation id stands for.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&Known> {
        self.by_id.get(&id)
    }

    /// The relation whose rows are signals, once it has come.
    #[inline]
    pub(crate) fn signals(&self) -> Option<u32> {
        self.signals
    }

    /// A captured table.
    pub(crate) fn table(&self, id: u32) -> Option<&Arc<Table>> {
        match self.by_id.get(&id)? {
            Known::Table(table) => Some(table),
            Known::Ignored => None,
        }
    }

    /// Whether something is read again of some tables.
    pub(crate) fn are_reselected(&self) -> bool {
        self.compiler.captured.reselected().is_some()
    }

    /// What a captured table looks like now.
    pub(crate) fn layout(&self, id: u32) -> Option<&TableInfo> {
        self.layouts.get(&id)
    }

    /// Whether a Relation message needs the catalog: only captured tables do.
    pub(crate) fn is_captured(&self, relation: Relation<'_>) -> bool {
        self.compiler
            .captured
            .table(relation.schema, relation.table)
    }

    /// What becomes of events that cannot be decoded.
    pub(crate) fn processing(&self) -> Processing {
        self.compiler.processing
    }

    /// Ignores a relation from here on.
    pub(crate) fn ignore(&mut self, id: u32) {
        self.by_id.insert(id, Known::Ignored);
    }

    /// Learns what a captured relation looks like now. The message says which columns come and with which types; the
    /// catalog adds keys, defaults and nullability, as they are at this moment. A table that is the same as before
    /// keeps its routes, since the server repeats relations after each ANALYZE. `xid` is the transaction in which it comes.
    pub(crate) async fn learn(
        &mut self,
        relation: Relation<'_>,
        xid: Option<u32>,
        side: &mut Connection,
    ) -> Result<()> {
        let captured = &self.compiler.captured;
        let looked = self.foresight.look(relation.id, xid, captured, side);
        let mut looked = looked.await?;
        let info = merged(relation, looked.table.take())?;
        if self.layouts.get(&relation.id) == Some(&info) {
            return Ok(());
        }
        let customs = looked.customs(side, &info).await?;
        self.insert(relation, info, &customs);
        Ok(())
    }

    /// Learns what the message alone says.
    pub(crate) fn learn_without_catalog(&mut self, relation: Relation<'_>) -> Result<()> {
        let info = merged(relation, None)?;
        self.insert(relation, info, &Customs::default());
        Ok(())
    }

    fn insert(&mut self, relation: Relation<'_>, info: TableInfo, customs: &Customs) {
        let mut table = self.compiler.compile(&info, customs);
        if self.compiler.captured.is_signals(&info.schema, &info.name) {
            self.signals = Some(relation.id);
        } else if let Some(settings) = self.compiler.captured.reselected() {
            table.reselected = reselect::Plan::of(settings, &info, &table).map(Box::new);
        }
        tracing::info!(table = %info.full_name(), columns = info.columns.len(), "table learnt");
        self.by_id
            .insert(relation.id, Known::Table(Arc::new(table)));
        self.layouts.insert(relation.id, info);
    }
}

/// The columns of the message with what the catalog knows of those that still exist under their name.
fn merged(relation: Relation<'_>, stored: Option<TableInfo>) -> Result<TableInfo> {
    let columns = relation.columns()?;
    let known = stored.as_ref().map_or(&[][..], |table| &table.columns);
    let find = |name: &str| known.iter().find(|column| column.name == name);
    let identity = columns
        .iter()
        .filter(|c| c.in_identity)
        .map(|c| c.name.to_owned());
    let is_there = |name: &String| columns.iter().any(|column| column.name == *name);
    let stored_key = stored
        .as_ref()
        .map(|table| (table.key.clone(), table.has_primary_key))
        .filter(|(key, _)| key.iter().all(is_there));
    let (key, has_primary_key) = match stored_key {
        Some(key) => key,
        // The catalog has moved on: the identity that the row was logged with, unless that is every column.
        None if relation.replica_identity == b'f' => (Vec::new(), false),
        None => (identity.collect(), true),
    };
    let columns = columns
        .iter()
        .map(|column| merged_column(column, find(column.name)));
    Ok(TableInfo {
        oid: relation.id,
        schema: relation.schema.to_owned(),
        name: relation.table.to_owned(),
        columns: columns.collect(),
        key,
        has_primary_key,
        replica_identity: relation.replica_identity,
        select: None,
        streamed: true,
    })
}

/// The stream knows no serials.
fn streamed_type(stored: &ColumnInfo) -> String {
    let mut serials = catalog::SERIALS.iter();
    let plain = serials.find(|(_, serial)| *serial == stored.source_type);
    plain.map_or_else(
        || stored.source_type.clone(),
        |(plain, _)| (*plain).to_owned(),
    )
}

fn merged_column(column: &pgoutput::Column<'_>, stored: Option<&ColumnInfo>) -> ColumnInfo {
    ColumnInfo {
        name: column.name.to_owned(),
        type_oid: column.type_oid,
        modifier: column.modifier,
        source_type: stored.map(streamed_type).unwrap_or_default(),
        type_name: stored.map(|s| s.type_name.clone()).unwrap_or_default(),
        required: stored.is_some_and(|s| s.required),
        default: stored.and_then(|s| s.default.clone()),
    }
}

/// Makes tables out of what the catalog says.
#[derive(Debug)]
pub(crate) struct Compiler {
    captured: Captured,
    modes: Modes,
    prefix: String,
    database: String,
    schema_names: Adjustment,
    field_names: Adjustment,
    skip_unchanged: bool,
    /// Whether nothing stands for values that were not sent.
    omits: bool,
    failing: Failing,
    processing: Processing,
}

impl Compiler {
    /// As configured.
    pub(crate) fn new(config: &PostgresConfig, captured: Captured) -> Self {
        Self {
            captured,
            modes: Modes::new(config),
            prefix: config.topic_prefix.clone(),
            database: config.database.clone(),
            schema_names: config.schema_names,
            field_names: config.field_names,
            skip_unchanged: config.skip_unchanged,
            omits: config.unavailable == Unavailable::Omit,
            failing: config.converting_failures,
            processing: config.processing_failures,
        }
    }

    /// The types of a table that are not the server's own.
    pub(crate) async fn customs(&self, side: &mut Connection, info: &TableInfo) -> Result<Customs> {
        let oids: Vec<u32> = info.columns.iter().map(|column| column.type_oid).collect();
        catalog::customs(side, &oids).await
    }

    /// Compiles a table.
    pub(crate) fn compile(&self, info: &TableInfo, customs: &Customs) -> Table {
        let naming = self.captured.naming();
        let names = (naming.names(&info.schema, &info.name)).adjusted(self.schema_names);
        let key_names = self
            .captured
            .key(&info.schema, &info.name)
            .unwrap_or(&info.key);
        let is_key = |name: &str| key_names.iter().any(|key| key.eq_ignore_ascii_case(name));
        let mut columns = Vec::with_capacity(info.columns.len());
        let mut fields: Vec<Option<Field>> = Vec::new();
        let mut row = Vec::new();
        for (at, column) in (0u16..).zip(&info.columns) {
            let shown = self.captured.column(&info.schema, &info.name, &column.name);
            let shape = (shown || is_key(&column.name))
                .then(|| self.column(column, customs))
                .flatten();
            let (compiled, field) = shape.unzip();
            if shown && field.is_some() {
                row.push(at);
            }
            columns.push(compiled.unwrap_or(Column {
                op: Op::Skip,
                fallback: None,
            }));
            fields.push(field);
        }
        let mut key: Vec<u16> = key_names
            .iter()
            .filter_map(|n| place(info, &fields, n))
            .collect();
        let mut key_fields = picked(&fields, &key);
        if let Some(field) = naming.key_field(&info.schema, &info.name) {
            key.push(CONSTANT);
            key_fields.push(field);
        }
        let mut row_fields = picked(&fields, &row);
        let all = row.len() == columns.len();
        let masked = self.mask(info, customs, &mut row, &mut row_fields);
        let value = self.envelope(&names, info, row_fields);
        let key_schema = envelope::key_schema(&names, key_fields);
        Table {
            name: info.full_name().into(),
            route: Route::new(
                Arc::clone(&names.topic),
                key_schema.clone(),
                Some(Arc::clone(&value)),
            ),
            keyless: Route::new(Arc::clone(&names.topic), None, Some(value)),
            tombstone: Route::new(names.topic, key_schema, None),
            columns: columns.into(),
            row: (!all || !masked.is_empty()).then(|| row.into()),
            key: key.into(),
            masked: masked.into(),
            reselected: None,
            skip_unchanged: self.skip_unchanged,
            failing: self.failing,
            processing: self.processing,
        }
    }

    /// Puts masked columns in the place of those that a row must not show.
    fn mask(
        &self,
        info: &TableInfo,
        customs: &Customs,
        row: &mut [u16],
        fields: &mut [Field],
    ) -> Vec<(u16, Column)> {
        let mut masked = Vec::new();
        for (place, field) in row.iter_mut().zip(fields) {
            let Some(column) = info.columns.get(usize::from(*place)) else {
                continue;
            };
            let Some(mask) = self.captured.mask(&info.schema, &info.name, &column.name) else {
                self.captured.types().tell(info, column, customs, field);
                continue;
            };
            let is_string = mask::is_string(column.type_oid, customs);
            let Some((plain, _)) = self.column(column, customs) else {
                continue;
            };
            let (schema, hidden) = mask::hide(mask, column, plain, &field.schema, is_string);
            field.schema = Arc::new(schema);
            if let (Some(hidden), Ok(at)) =
                (hidden, u16::try_from(info.columns.len() + masked.len()))
            {
                masked.push((std::mem::replace(place, at), hidden));
            }
        }
        masked
    }

    fn column(&self, column: &ColumnInfo, customs: &Customs) -> Option<(Column, Field)> {
        let shape = self
            .modes
            .shape(customs, column.type_oid, column.modifier)?;
        let mut schema = shape.schema;
        schema.optional |= !column.required;
        if self.omits && schema.optional {
            schema.absent = None;
        }
        let made = |op: &Op, text: &str| value_of(op, text, &schema);
        let has = default::are_read(column.type_oid, customs)
            // Kafka Connect has no defaults of structs.
            && !matches!(schema.ty, Type::Struct(_));
        let sql = column.default.as_deref().filter(|_| has);
        let default = sql.and_then(|sql| match Default::of(sql) {
            Default::Literal(text) => made(&shape.op, &text),
            Default::Computed if is_numeric(&shape.op) => made(&shape.op, "0.0"),
            Default::Computed => made(&shape.op, shape.zero),
            Default::None => None,
        });
        let zero = self.modes.fallback(&shape.op, shape.zero, column.modifier);
        let zero = made(&zero.0, &zero.1);
        let zero = zero.filter(|_| column.required);
        schema.default = default.clone();
        let schema = Arc::new(schema);
        let fallback = default.filter(|_| column.required).or(zero);
        let fallback = fallback.map(|value| Fallback {
            schema: Arc::clone(&schema),
            value,
        });
        let name = self.field_names.field(&column.name);
        let field = Field::new(name.as_str(), schema);
        Some((
            Column {
                op: shape.op,
                fallback,
            },
            field,
        ))
    }

    fn envelope(&self, names: &TableNames, info: &TableInfo, row: Vec<Field>) -> Arc<Schema> {
        let source = source::schema(&self.prefix, &self.database, &info.schema, &info.name);
        envelope::envelope_schema(names, &envelope::row_schema(names, row), &source)
    }
}

fn is_numeric(op: &Op) -> bool {
    matches!(op, Op::Decimal | Op::NumericText)
}

fn place(info: &TableInfo, fields: &[Option<Field>], name: &str) -> Option<u16> {
    let at = info
        .columns
        .iter()
        .position(|c| c.name.eq_ignore_ascii_case(name))?;
    fields.get(at)?.as_ref()?;
    u16::try_from(at).ok()
}

fn picked(fields: &[Option<Field>], places: &[u16]) -> Vec<Field> {
    let field = |at: &u16| fields.get(usize::from(*at)).cloned().flatten();
    places.iter().filter_map(field).collect()
}

/// An owned value out of a text; `None` when the text has not the form of the type.
fn value_of(op: &Op, text: &str, schema: &Schema) -> Option<Value> {
    let mut out = Batch::default();
    let cell = convert::cell(op, Text::loose(text.as_bytes()), &mut out).ok()?;
    let schema = Arc::new(schema.clone());
    Some(Datum::of(&out, Some(&schema), cell).to_value())
}

#[cfg(test)]
mod tests;
