//! Columns whose values are hidden in rows. Keys show them as they are, as Debezium's do.

use std::sync::Arc;

use cdc::masks::{Mask, shortened};
use connect_core::{Schema, Type, Value};

use crate::{
    catalog::ColumnInfo,
    convert::Op,
    relations::{Column, Fallback},
    types::{Custom, Customs, oid},
};

/// Whether stars and hashes are for a type: those that are strings to JDBC.
pub(crate) fn is_string(type_oid: u32, customs: &Customs) -> bool {
    match customs.get(&type_oid) {
        Some(Custom::Domain(base, _)) => is_string(*base, &Customs::default()),
        Some(custom) => matches!(custom, Custom::Enum(_)),
        None => matches!(
            type_oid,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CHAR
        ),
    }
}

/// The schema of a hidden column, and the column unless its values are shown after all.
pub(crate) fn hide(
    mask: &Mask,
    info: &ColumnInfo,
    plain: Column,
    schema: &Schema,
    is_string: bool,
) -> (Schema, Option<Column>) {
    let length = length(info);
    let is_text = matches!(schema.ty, Type::String);
    let (name, value) = match mask {
        // Nothing is longer.
        Mask::Truncate(most) if length.is_some_and(|length| length <= *most) => {
            return (schema.clone(), None);
        }
        Mask::Truncate(most) => ("truncateLength", most.to_string()),
        _ => ("masked", "true".to_owned()),
    };
    let hides = match mask {
        Mask::Truncate(_) => is_text || matches!(plain.op, Op::Hex),
        _ => is_text && is_string,
    };
    let mut hidden = schema.clone().parameter(name, value);
    if !hides {
        return (hidden, None);
    }
    let shown = |text: &str| {
        let text = mask.apply(text);
        match (mask, length) {
            (Mask::Hash { .. }, Some(length)) => shortened(&text, length).to_owned(),
            _ => text,
        }
    };
    let masked = |value: &Value| match value {
        Value::Str(text) => Value::Str(shown(text)),
        other => other.clone(),
    };
    hidden.absent = schema.absent.as_ref().map(masked);
    let null = match (mask, plain.fallback) {
        (Mask::Stars(_), _) => Some(Value::Str(shown(""))),
        (_, fallback) => fallback.map(|fallback| masked(&fallback.value)),
    };
    let op = operation(mask, length, plain.op, is_text);
    let column = Column {
        op,
        fallback: null.map(|value| Fallback {
            schema: Arc::new(hidden.clone()),
            value,
        }),
    };
    (hidden, Some(column))
}

/// How a text is hidden. A hash is no longer than its column.
fn operation(mask: &Mask, length: Option<usize>, plain: Op, is_text: bool) -> Op {
    let masked = |op: Op, mask: Mask| Op::Masked(Arc::new((op, mask)));
    match (mask, length) {
        (Mask::Hash { .. }, Some(length)) => {
            masked(masked(plain, mask.clone()), Mask::Truncate(length))
        }
        // Bytes are hex digits until they are written.
        (Mask::Truncate(bytes), _) if !is_text => {
            masked(plain, Mask::Truncate(bytes.saturating_mul(2)))
        }
        _ => masked(plain, mask.clone()),
    }
}

/// `varchar(n)`, `char(n)`; `None` when nothing limits it.
fn length(column: &ColumnInfo) -> Option<usize> {
    let limited = matches!(column.type_oid, oid::VARCHAR | oid::BPCHAR);
    let modifier = column.modifier.checked_sub(4).filter(|length| *length > 0);
    modifier
        .filter(|_| limited)
        .and_then(|length| usize::try_from(length).ok())
}
