//! Debezium's `PartitionRouting`: the partition by what stands in some fields.

use connect_core::{
    Batch, Datum, Error, Finding, Properties, Result, Type,
    config::{Config, Key, List, Rules, Width},
    datum::View,
};

use super::{
    event_router::is_envelope,
    events::EachEvent,
    murmur,
    shown::{Shown, grouped},
};

connect_core::choice! {
    /// How fields are hashed.
    pub(super) enum Hash {
        /// As Java's `hashCode`.
        Java = "java",
        /// Debezium's MurmurHash3.
        Murmur = "murmur",
    }
}

connect_core::config! {
    /// Chooses partitions.
    pub(super) struct PartitionRoutingConfig;
    group "partitions" {
        /// Payload fields to use to calculate the partition. Supports Struct nesting using dot notation.To access fields related to data collections, you can use: after, before or change, where 'change' is a special field that will automatically choose, based on operation, the 'after' or 'before'. If a field not exist for the current record it will simply not usede.g. after.name,source.table,change.name
        fields: Option<List> = none, "partition.payload.fields", High;
        /// Number of partition for the topic on which this SMT act. Use TopicNameMatches predicate to filter records by topic
        count: Option<i32> = none, "partition.topic.num", High;
        /// Hash function to be used when computing hash of the fields which would determine number of the destination partition.
        hash: Hash = "java", "partition.hash.function", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    (
        "partition.payload.fields",
        Width::None,
        "List of payload fields to use for compute partition.",
    ),
    (
        "partition.topic.num",
        Width::None,
        "Number of partition configured for topic",
    ),
    ("partition.hash.function", Width::None, "Hash function"),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    grouped(PartitionRoutingConfig::keys(), SHOWN)
}

impl Rules for PartitionRoutingConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let required = |key: &str| {
            let why = format!("The '{key}' value is invalid: A value is required");
            Finding::error(key, why)
        };
        if self
            .fields
            .as_ref()
            .is_none_or(|fields| fields.0.is_empty())
        {
            findings.push(required("partition.payload.fields"));
        }
        match self.count {
            None => findings.push(required("partition.topic.num")),
            Some(count) if count < 1 => {
                let why = "A positive, non-zero integer value is expected";
                findings.push(Finding::invalid(
                    "partition.topic.num",
                    &count.to_string(),
                    why,
                ));
            }
            Some(_) => {}
        }
        findings
    }
}

/// The transform.
pub(super) struct PartitionRouting {
    fields: Vec<Vec<String>>,
    count: i32,
    hash: Hash,
}

impl PartitionRouting {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = PartitionRoutingConfig::parse(settings)?;
        let fields = config.fields.map(|fields| fields.0).unwrap_or_default();
        let steps = |path: &String| path.split('.').map(|step| step.trim().to_owned()).collect();
        Ok(Self {
            fields: fields.iter().map(steps).collect(),
            count: config.count.unwrap_or(1),
            hash: config.hash,
        })
    }

    /// The partition; `None` for a record that has none of the fields.
    fn partition(&self, event: Datum<'_>) -> Result<Option<i32>> {
        let op = event.get("op").and_then(Datum::text);
        let row = if op.as_deref() == Some("d") {
            "before"
        } else {
            "after"
        };
        let mut sum: Option<i32> = None;
        for path in &self.fields {
            let at = found(event, path, row)?;
            let some = at.filter(|datum| !matches!(datum.view(), View::Null | View::Absent));
            if let Some(datum) = some {
                let hash = self.hash.of(datum).ok_or_else(|| {
                    let err = Error::record("A partition cannot be told by a value of this type");
                    err.context("field", path.join("."))
                })?;
                sum = Some(sum.unwrap_or(0).wrapping_add(hash));
            }
        }
        let sum = sum.map(|sum| sum & i32::MAX);
        Ok(sum.map(|sum| if sum == i32::MAX { 0 } else { sum % self.count }))
    }
}

/// What a path leads to; `None` where a field is not there. A null on the way is an error, as it is Debezium's.
fn found<'a>(event: Datum<'a>, path: &[String], row: &str) -> Result<Option<Datum<'a>>> {
    let mut at = event;
    for (depth, step) in path.iter().enumerate() {
        if at.is_null() {
            let err =
                Error::record("Unprocessable message: a struct on the way to a field is null");
            return Err(err.context("field", path.join(".")));
        }
        let name = match step.as_str() {
            "change" if depth + 1 < path.len() => row,
            step => step,
        };
        match at.get(name) {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

impl Hash {
    /// `None` for a value of a type that has none. Murmur takes a text as it is, and all else by its `hashCode`.
    fn of(self, datum: Datum<'_>) -> Option<i32> {
        match (self, datum.view()) {
            (Self::Java, _) => hash_code(datum),
            (Self::Murmur, View::Text(text)) => Some(murmur::hash(text)),
            (Self::Murmur, _) => Some(murmur::hash(&hash_code(datum)?.to_le_bytes())),
        }
    }
}

/// Java's `hashCode` of a boxed value.
fn hash_code(datum: Datum<'_>) -> Option<i32> {
    let ty = datum.schema().map(|schema| &schema.ty);
    let long = |bits: i64| (bits ^ ((bits as u64) >> 32) as i64) as i32;
    match datum.view() {
        View::Bool(b) => return Some(if b { 1231 } else { 1237 }),
        View::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let add = |hash: i32, unit: u16| hash.wrapping_mul(31).wrapping_add(unit.into());
            return Some(text.encode_utf16().fold(0, add));
        }
        View::Array => {
            let add = |hash: i32, item: Datum<'_>| match item.view() {
                View::Null | View::Absent => Some(hash.wrapping_mul(31)),
                _ => Some(hash.wrapping_mul(31).wrapping_add(hash_code(item)?)),
            };
            return datum.items().into_iter().try_fold(1, add);
        }
        _ => {}
    }
    match ty {
        Some(Type::Int64) => datum.int().map(long),
        Some(Type::Int8 | Type::Int16 | Type::Int32) => datum.int().map(|int| int as i32),
        Some(Type::Float64) => Some(long(float(datum)?.to_bits() as i64)),
        Some(Type::Float32) => Some((float(datum)? as f32).to_bits() as i32),
        _ => None,
    }
}

fn float(datum: Datum<'_>) -> Option<f64> {
    match datum.view() {
        View::Float(float) => Some(float),
        _ => datum.text()?.parse().ok(),
    }
}

impl EachEvent for PartitionRouting {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(row) = batch.row(index) else {
            return Ok(true);
        };
        let event = row.value();
        let is_event = row
            .route()
            .value()
            .is_some_and(|schema| is_envelope(schema));
        let is_truncate = event
            .get("op")
            .and_then(Datum::text)
            .is_some_and(|op| op == "t");
        if !is_event || event.is_null() || is_truncate {
            return Ok(true);
        }
        let partition = self.partition(event)?;
        if let (Some(partition), Some(record)) = (partition, batch.records_mut().get_mut(index)) {
            record.partition = partition;
        }
        Ok(true)
    }
}
