//! Transforms and predicates by class name, with their properties.

use connect_core::{
    Finding, Properties,
    config::{Config, Key, Width},
    transform::{Predicate, Transform},
};

use super::{
    cast::{Cast, CastConfig},
    extract_field::{ExtractField, ExtractFieldConfig},
    filter::Filter,
    insert_field::{InsertField, InsertFieldConfig},
    mask_field::{MaskField, MaskFieldConfig},
    predicates::{
        HasHeaderKey, HasHeaderKeyConfig, RecordIsTombstone, TopicNameMatches,
        TopicNameMatchesConfig,
    },
    regex_router::{RegexRouter, RegexRouterConfig},
    replace_field::{ReplaceField, ReplaceFieldConfig},
    reshape::Reshaper,
    side::Side,
    timestamp_converter::{TimestampConverter, TimestampConverterConfig},
    unwrap::{Unwrap, UnwrapConfig},
    value_to_key::{ValueToKey, ValueToKeyConfig},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Cast(Side),
    ExtractField(Side),
    Filter,
    InsertField(Side),
    MaskField(Side),
    RegexRouter,
    ReplaceField(Side),
    TimestampConverter(Side),
    ValueToKey,
    Unwrap,
}

/// In the order of Kafka Connect's list of plugins.
const TRANSFORMS: &[(&str, Known)] = &[
    (
        "io.debezium.transforms.ExtractNewRecordState",
        Known::Unwrap,
    ),
    (
        "org.apache.kafka.connect.transforms.Cast$Key",
        Known::Cast(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.Cast$Value",
        Known::Cast(Side::Value),
    ),
    (
        "org.apache.kafka.connect.transforms.ExtractField$Key",
        Known::ExtractField(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.ExtractField$Value",
        Known::ExtractField(Side::Value),
    ),
    ("org.apache.kafka.connect.transforms.Filter", Known::Filter),
    (
        "org.apache.kafka.connect.transforms.InsertField$Key",
        Known::InsertField(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.InsertField$Value",
        Known::InsertField(Side::Value),
    ),
    (
        "org.apache.kafka.connect.transforms.MaskField$Key",
        Known::MaskField(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.MaskField$Value",
        Known::MaskField(Side::Value),
    ),
    (
        "org.apache.kafka.connect.transforms.RegexRouter",
        Known::RegexRouter,
    ),
    (
        "org.apache.kafka.connect.transforms.ReplaceField$Key",
        Known::ReplaceField(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.ReplaceField$Value",
        Known::ReplaceField(Side::Value),
    ),
    (
        "org.apache.kafka.connect.transforms.TimestampConverter$Key",
        Known::TimestampConverter(Side::Key),
    ),
    (
        "org.apache.kafka.connect.transforms.TimestampConverter$Value",
        Known::TimestampConverter(Side::Value),
    ),
    (
        "org.apache.kafka.connect.transforms.ValueToKey",
        Known::ValueToKey,
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownPredicate {
    HasHeaderKey,
    RecordIsTombstone,
    TopicNameMatches,
}

const PREDICATES: &[(&str, KnownPredicate)] = &[
    (
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        KnownPredicate::HasHeaderKey,
    ),
    (
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        KnownPredicate::RecordIsTombstone,
    ),
    (
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        KnownPredicate::TopicNameMatches,
    ),
];

/// A transform; `settings` are its properties without prefix. The error has all findings, by names without prefix.
pub fn transform(class: &str, settings: &Properties) -> Result<Box<dyn Transform>, Vec<Finding>> {
    let Some(known) = find(TRANSFORMS, class) else {
        return Err(vec![unknown(class, "Transformation")]);
    };
    Ok(match known {
        Known::Cast(side) => Box::new(Reshaper::new(side, Cast::new(settings)?)),
        Known::ExtractField(side) => Box::new(Reshaper::new(side, ExtractField::new(settings)?)),
        Known::Filter => Box::new(Filter),
        Known::InsertField(side) => Box::new(Reshaper::new(side, InsertField::new(settings)?)),
        Known::MaskField(side) => Box::new(Reshaper::new(side, MaskField::new(settings)?)),
        Known::RegexRouter => Box::new(RegexRouter::new(settings)?),
        Known::ReplaceField(side) => Box::new(Reshaper::new(side, ReplaceField::new(settings)?)),
        Known::TimestampConverter(side) => {
            Box::new(Reshaper::new(side, TimestampConverter::new(settings)?))
        }
        Known::ValueToKey => Box::new(ValueToKey::new(settings)?),
        Known::Unwrap => Box::new(Unwrap::new(settings)?),
    })
}

/// A predicate; `settings` are its properties without prefix. The error has all findings, by names without prefix.
pub fn predicate(class: &str, settings: &Properties) -> Result<Box<dyn Predicate>, Vec<Finding>> {
    match find(PREDICATES, class) {
        None => Err(vec![unknown(class, "Predicate")]),
        Some(KnownPredicate::HasHeaderKey) => Ok(Box::new(HasHeaderKey::new(settings)?)),
        Some(KnownPredicate::RecordIsTombstone) => Ok(Box::new(RecordIsTombstone)),
        Some(KnownPredicate::TopicNameMatches) => Ok(Box::new(TopicNameMatches::new(settings)?)),
    }
}

/// The properties of a transform, as Kafka Connect lists them; `None` for a class that is none.
pub fn transform_keys(class: &str) -> Option<Vec<Key>> {
    Some(match find(TRANSFORMS, class)? {
        Known::Cast(_) => plain(CastConfig::keys()),
        Known::ExtractField(_) => {
            let mut keys = plain(ExtractFieldConfig::keys());
            // Its values may be written in any case.
            keys.iter_mut().for_each(|key| key.allowed = &[]);
            keys
        }
        Known::Filter => Vec::new(),
        Known::InsertField(_) => plain(InsertFieldConfig::keys()),
        Known::MaskField(_) => plain(MaskFieldConfig::keys()),
        Known::RegexRouter => plain(RegexRouterConfig::keys()),
        Known::ReplaceField(_) => plain(ReplaceFieldConfig::keys()),
        Known::TimestampConverter(_) => plain(TimestampConverterConfig::keys()),
        Known::ValueToKey => plain(ValueToKeyConfig::keys()),
        Known::Unwrap => debezium(UnwrapConfig::keys()),
    })
}

/// The properties of a predicate, as Kafka Connect lists them; `None` for a class that is none.
pub fn predicate_keys(class: &str) -> Option<Vec<Key>> {
    Some(match find(PREDICATES, class)? {
        KnownPredicate::HasHeaderKey => plain(HasHeaderKeyConfig::keys()),
        KnownPredicate::RecordIsTombstone => Vec::new(),
        KnownPredicate::TopicNameMatches => plain(TopicNameMatchesConfig::keys()),
    })
}

/// The class names of all transforms, in Kafka Connect's order.
pub fn all_transforms() -> impl Iterator<Item = &'static str> {
    TRANSFORMS.iter().map(|(class, _)| *class)
}

/// The class names of all predicates, in Kafka Connect's order.
pub fn all_predicates() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|(class, _)| *class)
}

/// By the full class name, or by its last part.
fn find<K: Copy>(known: &[(&str, K)], class: &str) -> Option<K> {
    let found = known
        .iter()
        .find(|(full, _)| *full == class || full.rsplit('.').next() == Some(class));
    found.map(|(_, known)| *known)
}

/// Kafka Connect's own transforms give their properties no group, order, width or name for people.
fn plain(keys: Vec<Key>) -> Vec<Key> {
    let keys = keys.into_iter().map(|key| Key {
        group: None,
        order: -1,
        width: Width::None,
        display: key.name,
        ..key
    });
    keys.collect()
}

/// Debezium gives them widths and names.
fn debezium(keys: Vec<Key>) -> Vec<Key> {
    let shown = |name: &str| match name {
        "delete.tombstone.handling.mode" => (Width::Medium, "Handle delete and tombstone records"),
        "route.by.field" => (Width::Long, "Route by field name"),
        "add.fields.prefix" => (Width::Short, "Field prefix to be added to each field."),
        "add.fields" => (
            Width::Long,
            "Adds the specified field(s) to the message if they exist.",
        ),
        "add.headers.prefix" => (Width::Short, "Header prefix to be added to each header."),
        "add.headers" => (
            Width::Long,
            "Adds the specified fields to the header if they exist.",
        ),
        "drop.fields.header.name" => (
            Width::Short,
            "Specifies a header that contains a list of field names to be removed",
        ),
        "drop.fields.from.key" => (
            Width::Short,
            "Specifies whether the fields to be dropped should also be omitted from the key",
        ),
        "drop.fields.keep.schema.compatible" => (
            Width::Short,
            "Specifies if fields are dropped, will the event's schemas be compatible",
        ),
        _ => (Width::Short, "replace null field value with default"),
    };
    let keys = keys.into_iter().map(|key| {
        let (width, display) = shown(key.name);
        Key {
            group: None,
            order: 1,
            width,
            display,
            ..key
        }
    });
    keys.collect()
}

fn unknown(class: &str, kind: &str) -> Finding {
    let why = format!("Class {class} could not be found, or it is no {kind}.");
    Finding::invalid("type", class, &why)
}
