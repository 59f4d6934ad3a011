//! Debezium's `EnforceRecordSize`: the largest texts and bytes of rows are cut until the record is small enough.

use connect_core::{
    Batch, Cell, Datum, Finding, Form, Properties, Record, Result, Schema, Type, Value,
    config::{Config, Key, Rules},
    datum::View,
};

use super::{
    events::EachEvent,
    reshape::is_null,
    row::{datum_of, own_cell, take_cells},
    shown::plain,
};

connect_core::config! {
    /// Cuts what is too large.
    pub(super) struct EnforceRecordSizeConfig;
    group "Size" {
        /// The maximum record size in bytes. Records exceeding this size will have their string and bytes columns truncated proportionally to fit within this limit.
        most: i32 = required, "max.bytes", High;
        /// Ratio to account for record serialization differences. The estimated record size is multiplied by this ratio before comparing to the max size. For example, if your serialization compresses raw record size by 50%, set this to 0.5. Downstream systems typically provide metrics to discover the effective ratio, e.g. Kafka exposes kafka.producer:type=producer-metrics,client-id=<id>/compression-rate-avg. Default is 1.0 (no adjustment).
        ratio: f64 = "1.0", "compression.ratio", Medium;
        /// Fields with a size at or below this value (in bytes) will not be truncated. Only fields larger than this threshold are eligible for proportional truncation. Default is 25000 (25KB).
        least: i32 = "25000", "min.field.size", Medium;
    }
}

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    plain(EnforceRecordSizeConfig::keys())
}

impl Rules for EnforceRecordSizeConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut check = |holds: bool, key: &str, value: String, why: &str| {
            if !holds {
                findings.push(Finding::invalid(key, &value, why));
            }
        };
        let (most, least) = (self.most, self.least);
        check(
            most > 0,
            "max.bytes",
            most.to_string(),
            "Must be a positive integer",
        );
        let ratio = self.ratio.to_string();
        check(
            self.ratio > 0.0,
            "compression.ratio",
            ratio,
            "Must be a positive number",
        );
        check(
            least >= 0,
            "min.field.size",
            least.to_string(),
            "Must be non-negative",
        );
        findings
    }
}

const PURPOSE: &str = "enforcing a size";

/// Entries of a record's partition and offset. Debezium counts those of the record; here they are those of a PostgreSQL row in a stream.
const ENTRIES: u64 = 7;

/// What Debezium reckons for an entry or a header.
const OF_ENTRY: u64 = 100;

/// The transform.
pub(super) struct EnforceRecordSize {
    config: EnforceRecordSizeConfig,
}

/// A field that can be cut, in `before` or `after`.
struct Large {
    at: usize,
    size: u64,
}

impl EnforceRecordSize {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = EnforceRecordSizeConfig::parse(settings)?;
        Ok(Self { config })
    }

    /// By how much the record is too large.
    fn excess(&self, batch: &Batch, index: usize) -> Option<u64> {
        let row = batch.row(index)?;
        let entries = ENTRIES + u64::from(row.record().headers_len);
        let estimate = 8 + entries * OF_ENTRY + size(row.key()) + size(row.value());
        let estimate = estimate + row.topic().len() as u64;
        let size = (estimate as f64 * self.config.ratio).ceil() as u64;
        let most = self.config.most.unsigned_abs().into();
        size.checked_sub(most).filter(|excess| *excess > 0)
    }

    fn large(&self, batch: &Batch, schema: &Schema, cells: &[Cell]) -> Vec<Large> {
        let fields = schema.fields().iter().zip(cells).enumerate();
        let sized = fields.filter_map(|(at, (field, cell))| {
            let size = match datum_of(batch, field, *cell).view() {
                View::Text(text) => units(text),
                View::Bytes(bytes, Form::Hex) => bytes.len() as u64 / 2,
                View::Bytes(bytes, Form::Plain) => bytes.len() as u64,
                _ => return None,
            };
            let logical = field.schema.is(connect_core::schema::logical::DECIMAL);
            (!logical && size > self.config.least.unsigned_abs().into())
                .then_some(Large { at, size })
        });
        sized.collect()
    }

    fn cut(&self, batch: &mut Batch, schema: &Schema, value: Cell, excess: u64) -> Result<Cell> {
        let mut event = Vec::new();
        take_cells(batch, schema, value, PURPOSE, &mut event)?;
        let mut rows = Vec::new();
        for name in ["before", "after"] {
            if let Some((at, field)) = schema.field(name)
                && let Some(cell) = event.get(at)
                && matches!(field.schema.ty, Type::Struct(_))
                && !is_null(batch, *cell)
            {
                let (cell, mut cells) = (own_cell(batch, field, *cell), Vec::new());
                take_cells(batch, &field.schema, cell, PURPOSE, &mut cells)?;
                with_default_texts(batch, &field.schema, &mut cells);
                let large = self.large(batch, &field.schema, &cells);
                rows.push((at, &field.schema, cells, large));
            }
        }
        let bytes = |large: &[Large]| large.iter().map(|field| field.size).sum::<u64>();
        let all: u64 = rows.iter().map(|(.., large)| bytes(large)).sum();
        for (at, schema, mut cells, large) in rows {
            let own = share(bytes(&large), all, excess);
            for field in &large {
                let left = field
                    .size
                    .saturating_sub(share(field.size, bytes(&large), own));
                shorten(batch, schema, &mut cells, field.at, left);
            }
            if !large.is_empty()
                && let Some(row) = event.get_mut(at)
            {
                *row = batch.push_nest(&cells);
            }
        }
        Ok(batch.push_nest(&event))
    }
}

/// A null reads as its default in Debezium, which may be long enough to be cut.
fn with_default_texts(batch: &mut Batch, schema: &Schema, cells: &mut [Cell]) {
    for (field, cell) in schema.fields().iter().zip(cells) {
        let is_cut = matches!(field.schema.ty, Type::String | Type::Bytes);
        if let (Some(default), Cell::Null, true) = (&field.schema.default, *cell, is_cut) {
            *cell = batch.push_value(default, Some(&field.schema));
        }
    }
}

/// The part of `excess` that falls to `size` of `all`, reckoned as Java does.
fn share(size: u64, all: u64, excess: u64) -> u64 {
    match all {
        0 => 0,
        all => (size as f64 / all as f64 * excess as f64).ceil() as u64,
    }
}

/// Cuts a text after so many UTF-16 units (but not within a character), bytes after so many.
fn shorten(batch: &mut Batch, schema: &Schema, cells: &mut [Cell], at: usize, left: u64) {
    let (Some(field), Some(cell)) = (schema.fields().get(at), cells.get_mut(at)) else {
        return;
    };
    let new = match datum_of(batch, field, *cell).to_value() {
        Value::Str(text) => Value::Str(first_units(&text, left).to_owned()),
        Value::Bytes(mut bytes) => {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            Value::Bytes(bytes)
        }
        _ => return,
    };
    *cell = batch.push_value(&new, Some(&field.schema));
}

fn first_units(text: &str, left: u64) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, char)| {
        units += char.len_utf16() as u64;
        units > left
    });
    end.map_or(text, |(end, _)| text.split_at(end).0)
}

fn units(text: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(text);
    text.chars().map(|char| char.len_utf16() as u64).sum()
}

/// The estimate of Debezium's `ApproximateStructSizeCalculator`: what a JVM needs for the value, its schema apart.
fn size(datum: Datum<'_>) -> u64 {
    let Some(schema) = datum.schema() else {
        return 0;
    };
    let view = match datum.view() {
        View::Absent => match &schema.absent {
            Some(value) => return size(Datum::of_value(Some(schema), value)),
            None => View::Null,
        },
        view => view,
    };
    let sum = |each: &mut dyn Iterator<Item = u64>| each.sum::<u64>();
    match (&schema.ty, view) {
        (Type::String | Type::Bytes, View::Null) => 0,
        (Type::Array(_) | Type::Map(..) | Type::Struct(_), View::Null) => 0,
        (Type::String, View::Text(text)) => 56 + text.len() as u64,
        (Type::Bytes, View::Bytes(bytes, Form::Plain)) => 24 + bytes.len() as u64,
        (Type::Bytes, _) => 24 + length(&datum.to_value()),
        (Type::Struct(_), _) => {
            let fields = datum.entries();
            56 + sum(&mut fields.into_iter().map(|(_, field)| 8 + size(field)))
        }
        (Type::Array(_), _) => 64 + sum(&mut datum.items().into_iter().map(|item| 8 + size(item))),
        (Type::Map(..), _) => 88 + pairs(datum),
        _ => 24,
    }
}

fn pairs(map: Datum<'_>) -> u64 {
    match map.value() {
        Some(_) => {
            let entries = map.entries().into_iter();
            entries
                .map(|(key, value)| 16 + 56 + key.len() as u64 + size(value))
                .sum()
        }
        None => {
            let pairs = map.pairs().into_iter();
            pairs.map(|(key, value)| 16 + size(key) + size(value)).sum()
        }
    }
}

fn length(value: &Value) -> u64 {
    match value {
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

impl EachEvent for EnforceRecordSize {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        // Debezium's leaves what sinks read as it is.
        let is_read = record.offset != i64::from(Record::NOWHERE);
        let route = batch.route(record.route);
        let schema = route.and_then(|route| route.value()).cloned();
        let schema = schema.filter(|schema| matches!(schema.ty, Type::Struct(_)));
        if let Some(schema) = schema.filter(|_| !is_read && !is_null(batch, record.value))
            && let Some(excess) = self.excess(batch, index)
        {
            let value = self.cut(batch, &schema, record.value, excess)?;
            if let Some(record) = batch.records_mut().get_mut(index) {
                record.value = value;
            }
        }
        Ok(true)
    }
}
