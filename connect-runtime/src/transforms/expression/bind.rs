//! Values of a record as values of expressions: what is needed of them.

use std::{collections::HashMap, sync::Arc};

use cel::{
    Value as Cel,
    objects::{Key, Map},
};
use connect_core::{
    Datum, Form, Schema, Type,
    batch::Row,
    datum::View,
    decimal::{scale_of, to_text},
};

use super::needs::Need;

/// A variable of the record.
pub(super) fn variable(name: &str, row: Row<'_>, need: &Need) -> Cel {
    match name {
        "key" => datum(row.key(), need),
        "value" => datum(row.value(), need),
        "topic" => text(row.topic()),
        "header" | "headers" => headers(row, need),
        "keySchema" => schema(row.route().key()),
        _ => schema(row.route().value()),
    }
}

fn text(text: &str) -> Cel {
    Cel::String(Arc::new(text.to_owned()))
}

fn map(entries: impl Iterator<Item = (String, Cel)>) -> Cel {
    let entries: HashMap<Key, Cel> = entries
        .map(|(name, value)| (Key::String(Arc::new(name)), value))
        .collect();
    Cel::Map(Map {
        map: Arc::new(entries),
    })
}

fn schema(schema: Option<&Arc<Schema>>) -> Cel {
    let Some(schema) = schema else {
        return Cel::Null;
    };
    let name = schema.name.as_deref().map_or(Cel::Null, text);
    let version = schema.version.map_or(Cel::Null, |v| Cel::Int(v.into()));
    map([("name".to_owned(), name), ("version".to_owned(), version)].into_iter())
}

/// Of headers with one name the last.
fn headers(row: Row<'_>, need: &Need) -> Cel {
    let whole = Need {
        whole: true,
        ..Need::default()
    };
    let wanted = row.headers().filter_map(|(name, value)| {
        let part = need
            .parts
            .get(&**name)
            .and_then(|part| part.parts.get("value"));
        let part = part.or((need.whole || need.parts.contains_key(&**name)).then_some(&whole))?;
        let value = [("value".to_owned(), datum(value, part))];
        Some((name.to_string(), map(value.into_iter())))
    });
    map(wanted)
}

fn datum(datum: Datum<'_>, need: &Need) -> Cel {
    match datum.view() {
        View::Null => default(datum, need),
        // Invariant 3 is for sinks; an expression sees what Debezium writes for a value that was not sent.
        View::Absent => match datum.schema().and_then(|schema| schema.absent.as_ref()) {
            Some(value) => self::datum(Datum::of_value(datum.schema(), value), need),
            None => Cel::Null,
        },
        View::Bool(b) => Cel::Bool(b),
        View::Int(i) => Cel::Int(i),
        View::Float(f) => Cel::Float(f),
        View::Digits(digits) => number(digits, datum.schema()),
        View::Text(bytes) => text(&String::from_utf8_lossy(bytes)),
        View::Bytes(bytes, form) => decimal_or_bytes(datum, bytes, form),
        View::Array => {
            let whole = Need {
                whole: true,
                ..Need::default()
            };
            let items = datum
                .items()
                .into_iter()
                .map(|item| self::datum(item, &whole));
            Cel::List(Arc::new(items.collect()))
        }
        View::Map | View::Struct => parts(datum, need),
    }
}

/// A null that has a default is the default, as for Kafka Connect's structs.
fn default(datum: Datum<'_>, need: &Need) -> Cel {
    let default = datum.schema().and_then(|schema| schema.default.as_ref());
    match default.filter(|default| !default.is_null()) {
        Some(value) => self::datum(Datum::of_value(datum.schema(), value), need),
        None => Cel::Null,
    }
}

fn parts(datum: Datum<'_>, need: &Need) -> Cel {
    if need.whole {
        let entries = datum.entries().into_iter();
        return map(entries.map(|(name, value)| (name.into_owned(), self::datum(value, need))));
    }
    let is_map = matches!(datum.schema().map(|schema| &schema.ty), Some(Type::Map(..)));
    let wanted = need.parts.iter().filter_map(|(name, part)| {
        let value = match is_map {
            true => datum.entries().into_iter().find(|(n, _)| n == name)?.1,
            false => datum.get(name)?,
        };
        Some((name.clone(), self::datum(value, part)))
    });
    map(wanted)
}

fn number(digits: &[u8], schema: Option<&Arc<Schema>>) -> Cel {
    let digits = String::from_utf8_lossy(digits);
    let float = matches!(
        schema.map(|schema| &schema.ty),
        Some(Type::Float32 | Type::Float64)
    );
    match digits.parse() {
        Ok(whole) if !float => Cel::Int(whole),
        _ => digits.parse().map_or_else(|_| text(&digits), Cel::Float),
    }
}

fn decimal_or_bytes(datum: Datum<'_>, bytes: &[u8], form: Form) -> Cel {
    let scale = datum.schema().and_then(|schema| scale_of(schema));
    match (scale, form) {
        (_, Form::DecimalText) => number(bytes, None),
        (Some(scale), Form::Plain) => {
            let mut digits = Vec::new();
            to_text(bytes, scale, &mut digits);
            number(&digits, None)
        }
        _ => match datum.to_value() {
            connect_core::Value::Bytes(bytes) => Cel::Bytes(Arc::new(bytes)),
            _ => Cel::Null,
        },
    }
}
