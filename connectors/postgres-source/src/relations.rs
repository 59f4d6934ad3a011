//! Relation ids to compiled tables.

mod foresight;

use std::sync::Arc;

use cdc::{
    adjust::Adjustment,
    hide::hide,
    modes::{Failing, Processing},
    table::{self, Fallback, Plan, Planned},
    text::Text,
};
use connect_core::{Batch, Datum, Field, Result, Schema, Type, Value};
use rustc_hash::FxHashMap;

use self::foresight::Foresight;
use crate::{
    captured::Captured,
    catalog::{self, ColumnInfo, TableInfo},
    config::{PostgresConfig, Unavailable},
    convert::{self, Op},
    default::{self, Default},
    mask,
    pgoutput::{self, Relation},
    reselect, source, source_type,
    types::{Customs, Modes},
    wire::Connection,
};

/// A table, and what is read again of its rows, if anything.
pub(crate) type Table = table::Table<Op, Option<Box<reselect::Plan>>>;

/// A column on the wire.
pub(crate) type Column = table::Column<Op>;

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
            table.extra = reselect::Plan::of(settings, &info, &table).map(Box::new);
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
        let (schema, name) = (&info.schema, &info.name);
        let key = self.captured.key(schema, name).unwrap_or(&info.key);
        let plan = Plan {
            name: info.full_name(),
            names: naming.names(schema, name).adjusted(self.schema_names),
            key,
            key_constant: naming.key_field(schema, name),
            source: source::schema(&self.prefix, &self.database, schema, name),
            skip_unchanged: self.skip_unchanged,
            failing: self.failing,
            processing: self.processing,
            extra: None,
        };
        let columns = info.columns.iter();
        let planned = columns.map(|column| self.planned(info, column, key, customs));
        plan.compile(planned.collect(), &Op::Skip)
    }

    fn planned(
        &self,
        info: &TableInfo,
        column: &ColumnInfo,
        key: &[String],
        customs: &Customs,
    ) -> Planned<Op> {
        let (schema, table, name) = (&info.schema, &info.name, &column.name);
        let is_key = key.iter().any(|key| key.eq_ignore_ascii_case(name));
        let is_shown = self.captured.column(schema, table, name);
        let plain = (is_shown || is_key)
            .then(|| self.column(column, customs))
            .flatten();
        let mut shown = plain.as_ref().filter(|_| is_shown).map(|(_, f)| f.clone());
        let mut hidden = None;
        if let Some(field) = &mut shown {
            match self.captured.mask(schema, table, name) {
                None => source_type::tell(self.captured.types(), (info, column), customs, field),
                Some(mask) => {
                    if let Some((plain, _)) = self.column(column, customs) {
                        let kind = mask::kind(column, customs);
                        let (schema, column) = hide(mask, kind, plain, &field.schema);
                        (field.schema, hidden) = (Arc::new(schema), column);
                    }
                }
            }
        }
        Planned {
            name: name.clone(),
            plain,
            shown,
            hidden,
        }
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
}

fn is_numeric(op: &Op) -> bool {
    matches!(op, Op::Decimal | Op::NumericText)
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
