//! Compiled tables: from what the server says of a table to everything that its rows need.

use std::sync::Arc;

use cdc::{
    adjust::Adjustment,
    captured::Captured,
    hide::{Kind, hide},
    modes::{Failing, Processing},
    source_types::{self, Told},
    table::{self, Column, Fallback, Plan, Planned},
    text::Text,
};
use connect_core::{Batch, Datum, Field, Schema, Type, Value};

use crate::{
    catalog::{ColumnInfo, TableInfo},
    config::MySqlConfig,
    convert::Op,
    converters::Converters,
    schema_changes::{lengths, type_name},
    shown, source,
    types::Modes,
    wire::Flavor,
};

/// A compiled table.
pub(crate) type Table = table::Table<Op>;

/// Makes tables out of what the server says.
#[derive(Debug)]
pub(crate) struct Compiler {
    captured: Arc<Captured>,
    modes: Modes,
    converters: Converters,
    flavor: Flavor,
    prefix: String,
    schema_names: Adjustment,
    field_names: Adjustment,
    skip_unchanged: bool,
    /// Whether schemas have the comments of columns as their documentation.
    comments: bool,
    failing: Failing,
    processing: Processing,
}

impl Compiler {
    /// As configured.
    pub(crate) fn new(config: &MySqlConfig, flavor: Flavor, captured: Arc<Captured>) -> Self {
        Self {
            captured,
            modes: Modes {
                decimal: config.decimal_mode,
                time: config.time_precision,
                binary: config.binary_mode,
                big_unsigned: config.big_unsigned,
                adjusts_years: config.adjusts_years,
            },
            converters: Converters::new(&config.rest, &mut Vec::new()),
            flavor,
            prefix: config.topic_prefix.clone(),
            schema_names: config.schema_names,
            field_names: config.field_names,
            skip_unchanged: config.skip_unchanged,
            comments: config.include_schema_comments || flavor == Flavor::MariaDb,
            failing: config.converting_failures,
            processing: config.processing_failures,
        }
    }

    /// Which tables are captured.
    pub(crate) fn captured(&self) -> &Captured {
        &self.captured
    }

    /// Compiles a table.
    pub(crate) fn compile(&self, info: &TableInfo) -> Table {
        let (database, name) = (&info.database, &info.name);
        let naming = self.captured.naming();
        let key = self.captured.key(database, name).unwrap_or(&info.key);
        let plan = Plan {
            name: info.full_name(),
            names: naming.names(database, name).adjusted(self.schema_names),
            key,
            key_constant: naming.key_field(database, name),
            source: source::schema(self.flavor, &self.prefix, database, Some(name)),
            skip_unchanged: self.skip_unchanged,
            failing: self.failing,
            processing: self.processing,
            extra: (),
        };
        let columns = info.columns.iter();
        let planned = columns.map(|column| self.planned(info, column, key));
        plan.compile(planned.collect(), &Op::Skip)
    }

    fn planned(&self, info: &TableInfo, column: &ColumnInfo, key: &[String]) -> Planned<Op> {
        let (database, table, name) = (&info.database, &info.name, &column.name);
        let is_key = key.iter().any(|key| key.eq_ignore_ascii_case(name));
        let is_shown = self.captured.column(database, table, name);
        let plain = (is_shown || is_key)
            .then(|| self.column(info, column))
            .flatten();
        let mut shown = plain.as_ref().filter(|_| is_shown).map(|(_, f)| f.clone());
        let mut hidden = None;
        if let Some(field) = &mut shown {
            match self.captured.mask(database, table, name) {
                None => self.tell(info, column, field),
                Some(mask) => {
                    if let Some((plain, _)) = self.column(info, column) {
                        let (schema, column) = hide(mask, kind(column), plain, &field.schema);
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

    fn column(&self, info: &TableInfo, column: &ColumnInfo) -> Option<(Column<Op>, Field)> {
        let converted = self.converters.shape(info, column);
        let shape = match converted {
            Some(shape) => shape,
            None => self.modes.shape(&column.declared, column.charset)?,
        };
        let mut schema = shape.schema;
        schema.optional |= !column.required;
        let default = column
            .default
            .as_deref()
            .and_then(|text| default(&shape.op, text, column.required, &schema));
        let zero = (column.required && default.is_none())
            .then(|| zero(&shape.op, &schema))
            .flatten();
        schema.default.clone_from(&default);
        let comment = column.comment.as_deref().filter(|_| self.comments);
        if let Some(comment) = comment {
            schema.doc = Some(comment.into());
        }
        let schema = Arc::new(schema);
        let fallback = default.filter(|_| column.required).or(zero);
        let fallback = fallback.map(|value| Fallback {
            schema: Arc::clone(&schema),
            value,
        });
        let name = self.field_names.field(&column.name);
        let field = Field::new(name.as_str(), schema);
        let op = shape.op;
        Some((Column { op, fallback }, field))
    }

    fn tell(&self, info: &TableInfo, column: &ColumnInfo, field: &mut Field) {
        let type_name = type_name(column);
        let wanted = self.captured.types();
        if !wanted.want(&info.full_name(), &column.name, &type_name) {
            return;
        }
        let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
        let (length, scale) = lengths(column);
        let told = Told {
            name: &type_name,
            length: number(length),
            scale: number(scale),
            column: &column.name,
            comment: None,
        };
        source_types::tell(told, field);
    }
}

/// What a column is to a mask.
fn kind(column: &ColumnInfo) -> Kind {
    let name = column.declared.name.as_str();
    let is_text = name.ends_with("text") || matches!(name, "char" | "varchar" | "enum" | "set");
    let limited = matches!(name, "char" | "varchar");
    let length = column.declared.length.filter(|_| limited);
    Kind {
        length: length.and_then(|length| usize::try_from(length).ok()),
        is_string: is_text,
    }
}

/// A default as a value; `None` when its text has not the form of the type.
fn default(op: &Op, text: &str, required: bool, schema: &Schema) -> Option<Value> {
    let is_moment = matches!(op, Op::Timestamp(_) | Op::DateTime(..) | Op::IsoDateTime(_));
    if text == "CURRENT_TIMESTAMP" && is_moment {
        // Debezium takes the start of 1970 for it, which is no TIMESTAMP.
        let is_shown = required || !matches!(op, Op::Timestamp(_));
        return if is_shown { zero(op, schema) } else { None };
    }
    if let (Op::Bit | Op::Bits, Some(bits)) = (op, bits(text)) {
        let width = schema
            .parameter_value("length")
            .and_then(|l| l.parse().ok());
        let bytes = bits.to_be_bytes();
        let used = usize::div_ceil(width.unwrap_or(1), 8).min(bytes.len());
        return value(op, bytes.get(bytes.len() - used..)?, schema);
    }
    // MySQL shows those of bytes in hex.
    let bytes = match (op, text.strip_prefix("0x").and_then(unhex)) {
        (Op::Bytes(..), Some(bytes)) => bytes,
        _ => text.as_bytes().to_vec(),
    };
    match value(op, &bytes, schema) {
        // Zeros.
        Some(Value::Null) if required => zero(op, schema),
        None if required && text == "0" => zero(op, schema),
        value => value.filter(|value| *value != Value::Null),
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2);
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    pairs.map(byte).collect()
}

/// `b'101'`
fn bits(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("b'")?.strip_suffix('\'')?;
    u64::from_str_radix(digits, 2).ok()
}

/// What stands for null in a required column of a type: of dates and times only, where the server's zeros are null.
fn zero(op: &Op, schema: &Schema) -> Option<Value> {
    let text = match op {
        Op::Date(_) | Op::IsoDate(_) => "1970-01-01",
        Op::Timestamp(_) | Op::DateTime(..) | Op::IsoDateTime(_) => "1970-01-01 00:00:00",
        Op::Time(..) | Op::IsoTime => "00:00:00",
        _ => return None,
    };
    value(op, text.as_bytes(), schema)
}

/// An owned value out of what the server shows.
fn value(op: &Op, bytes: &[u8], schema: &Schema) -> Option<Value> {
    let mut out = Batch::default();
    let cell = shown::cell(op, Text::loose(bytes), &mut out).ok()?;
    // Kafka Connect has no defaults of structs.
    let schema = Some(Arc::new(schema.clone())).filter(|s| !matches!(s.ty, Type::Struct(_)))?;
    Some(Datum::of(&out, Some(&schema), cell).to_value())
}
