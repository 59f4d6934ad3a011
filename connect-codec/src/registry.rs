//! Converters by class name.

use std::sync::Arc;

use connect_core::{Finding, Properties, codec::Converter, config::Key};

use crate::{
    avro::Avro, bytes::ByteArrayConverter, header::SimpleHeaderConverter, json::JsonConverter,
    json_schema::JsonSchema, keys, number::NumberConverter, protobuf::Protobuf,
    schema_registry::Format, string::StringConverter,
};

/// What a converter can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Keys and values (`converter` in Kafka Connect's list of plugins).
    Converter,
    /// Headers (`header_converter`).
    HeaderConverter,
}

/// One line of Kafka Connect's list of plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its Java class name.
    pub class: &'static str,
    /// What it can be used for.
    pub role: Role,
}

/// All converters and what makes them. In the order of Kafka Connect's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Json,
    Text,
    Bytes,
    Header,
    Number(NumberConverter),
    Avro,
    JsonSchema,
    Protobuf,
}

impl Known {
    /// Whether its schemas are in a registry. As Confluent's, these are not for headers.
    fn is_registered(self) -> bool {
        matches!(self, Self::Avro | Self::JsonSchema | Self::Protobuf)
    }
}

const ALL: &[(&str, Known)] = &[
    ("io.confluent.connect.avro.AvroConverter", Known::Avro),
    (
        "io.confluent.connect.json.JsonSchemaConverter",
        Known::JsonSchema,
    ),
    (
        "io.confluent.connect.protobuf.ProtobufConverter",
        Known::Protobuf,
    ),
    (
        "org.apache.kafka.connect.converters.BooleanConverter",
        Known::Number(NumberConverter::Boolean),
    ),
    (
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        Known::Bytes,
    ),
    (
        "org.apache.kafka.connect.converters.DoubleConverter",
        Known::Number(NumberConverter::Double),
    ),
    (
        "org.apache.kafka.connect.converters.FloatConverter",
        Known::Number(NumberConverter::Float),
    ),
    (
        "org.apache.kafka.connect.converters.IntegerConverter",
        Known::Number(NumberConverter::Integer),
    ),
    (
        "org.apache.kafka.connect.converters.LongConverter",
        Known::Number(NumberConverter::Long),
    ),
    (
        "org.apache.kafka.connect.converters.ShortConverter",
        Known::Number(NumberConverter::Short),
    ),
    ("org.apache.kafka.connect.json.JsonConverter", Known::Json),
    (
        "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        Known::Header,
    ),
    (
        "org.apache.kafka.connect.storage.StringConverter",
        Known::Text,
    ),
];

/// The full class name of a converter, by that or by its simple name with or without `Converter`.
pub fn class_name(class: &str) -> Option<&'static str> {
    find(class).map(|(name, _)| *name)
}

/// A converter for keys or values; `settings` are its properties without prefix. The error has all findings.
pub fn converter(
    class: &str,
    is_key: bool,
    settings: &Properties,
) -> Result<Arc<dyn Converter>, Vec<Finding>> {
    let property = if is_key {
        "key.converter"
    } else {
        "value.converter"
    };
    match find(class) {
        Some((_, known)) if *known != Known::Header => make(*known, is_key, settings),
        _ => Err(vec![unknown(property, class, "Converter")]),
    }
}

/// A converter for headers; `settings` are its properties without prefix.
pub fn header_converter(
    class: &str,
    settings: &Properties,
) -> Result<Arc<dyn Converter>, Vec<Finding>> {
    match find(class) {
        Some((_, known)) if !known.is_registered() => make(*known, false, settings),
        _ => Err(vec![unknown("header.converter", class, "HeaderConverter")]),
    }
}

/// The properties of a converter; `None` for a class that is none.
pub fn keys(class: &str) -> Option<Vec<Key>> {
    find(class).map(|(_, known)| match known {
        Known::Json => keys::json(),
        Known::Text => keys::string(),
        Known::Header => Vec::new(),
        Known::Avro => Avro::keys(),
        Known::JsonSchema => JsonSchema::keys(),
        Known::Protobuf => Protobuf::keys(),
        Known::Bytes | Known::Number(_) => vec![keys::converter_type()],
    })
}

/// All converters in the order of Kafka Connect's list: first for keys and values, then for headers.
pub fn all() -> Vec<Listed> {
    let listed = |role| move |(class, _): &(&'static str, Known)| Listed { class, role };
    let data = ALL.iter().filter(|(_, known)| *known != Known::Header);
    let data = data.map(listed(Role::Converter));
    let headers = ALL.iter().filter(|(_, known)| !known.is_registered());
    data.chain(headers.map(listed(Role::HeaderConverter)))
        .collect()
}

fn find(class: &str) -> Option<&'static (&'static str, Known)> {
    ALL.iter().find(|(full, _)| {
        let simple = full.rsplit('.').next().unwrap_or(full);
        class == *full || class == simple || simple.strip_suffix("Converter") == Some(class)
    })
}

fn make(
    known: Known,
    is_key: bool,
    settings: &Properties,
) -> Result<Arc<dyn Converter>, Vec<Finding>> {
    Ok(match known {
        Known::Json => Arc::new(JsonConverter::from_properties(settings)?),
        Known::Text => Arc::new(StringConverter::from_properties(settings)?),
        Known::Bytes => Arc::new(ByteArrayConverter),
        Known::Header => Arc::new(SimpleHeaderConverter),
        Known::Number(number) => Arc::new(number),
        Known::Avro => return Avro::converter(settings, is_key),
        Known::JsonSchema => return JsonSchema::converter(settings, is_key),
        Known::Protobuf => return Protobuf::converter(settings, is_key),
    })
}

fn unknown(property: &str, class: &str, kind: &str) -> Finding {
    let why = format!("Class {class} could not be found, or it is no {kind}.");
    Finding::invalid(property, class, &why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_by_each_of_its_names() {
        let full = "org.apache.kafka.connect.json.JsonConverter";
        for name in [full, "JsonConverter", "Json"] {
            assert_eq!(class_name(name), Some(full));
            assert!(converter(name, true, &Properties::new()).is_ok());
        }
        assert!(class_name("XmlConverter").is_none());
    }

    #[test]
    fn all_findings_are_told() {
        let given = [
            ("schemas.enable", "maybe"),
            ("schemas.cache.size", "x"),
            ("decimal.format", "y"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let findings = converter("JsonConverter", false, &given.into())
            .err()
            .unwrap();
        let keys: Vec<&str> = findings.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(
            keys,
            ["schemas.enable", "schemas.cache.size", "decimal.format"]
        );
        let findings = converter("SimpleHeaderConverter", false, &Properties::new());
        assert_eq!(findings.err().unwrap()[0].key, "value.converter");
    }

    /// Properties as the `ConfigDef`s of Kafka Connect 4.3 list them, in `keys.txt`.
    #[test]
    fn properties_are_those_of_kafka_connect() {
        let mut class = "";
        let mut listed = 0;
        for line in include_str!("keys.txt").lines() {
            if let Some(name) = line.strip_prefix("## ") {
                class = name;
                continue;
            }
            let keys = keys(class).unwrap();
            let name = line.split(" | ").next().unwrap();
            let key = keys.iter().find(|key| key.name == name).unwrap();
            let default = match key.default {
                _ if key.required => "-",
                default => default.unwrap_or("null"),
            };
            let ours = [
                key.name,
                key.kind.name(),
                &key.required.to_string(),
                default,
                key.importance.name(),
                key.group.unwrap_or("null"),
                &key.order.to_string(),
                key.width.name(),
                key.display,
                &key.documentation,
            ];
            assert_eq!(ours.join(" | "), line, "{class}");
            listed += 1;
        }
        assert_eq!(listed, 15);
    }

    // Those of a Kafka Connect 4.3, and three of Confluent's, which are not for headers.
    #[test]
    fn the_list_has_twelve_converters_and_ten_for_headers() {
        let listed = all();
        let converters = listed.iter().filter(|l| l.role == Role::Converter).count();
        assert_eq!((converters, listed.len()), (12, 22));
        assert!(listed.iter().all(|l| keys(l.class).is_some()));
    }
}
