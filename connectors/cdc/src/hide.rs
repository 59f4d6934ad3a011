//! Columns whose values are hidden in rows. Keys show them as they are, as Debezium's do.

use std::sync::Arc;

use connect_core::{Schema, Type, Value};

use crate::{
    masks::{Mask, shortened},
    table::{Column, Fallback},
};

/// How a connector makes cells, as far as masks go.
pub trait Hide: Sized {
    /// Whether the values are bytes, of which so many may be shown …
    fn is_bytes(&self) -> bool;
    /// … each of them by so many characters until they are written.
    fn characters_per_byte(&self) -> usize;
    /// The same, behind a mask.
    #[must_use]
    fn masked(self, mask: Mask) -> Self;
}

/// What is told of a column to hide it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The most characters that it can have; `None` when nothing limits it.
    pub length: Option<usize>,
    /// Whether stars and hashes are for its type: those that are strings to JDBC.
    pub is_string: bool,
}

/// The schema of a hidden column, and the column unless its values are shown after all.
pub fn hide<O: Hide>(
    mask: &Mask,
    kind: Kind,
    plain: Column<O>,
    schema: &Schema,
) -> (Schema, Option<Column<O>>) {
    let is_text = matches!(schema.ty, Type::String);
    let (name, value) = match mask {
        // Nothing is longer.
        Mask::Truncate(most) if kind.length.is_some_and(|length| length <= *most) => {
            return (schema.clone(), None);
        }
        Mask::Truncate(most) => ("truncateLength", most.to_string()),
        _ => ("masked", "true".to_owned()),
    };
    let hides = match mask {
        Mask::Truncate(_) => is_text || plain.op.is_bytes(),
        _ => is_text && kind.is_string,
    };
    let mut hidden = schema.clone().parameter(name, value);
    if !hides {
        return (hidden, None);
    }
    let shown = |text: &str| {
        let text = mask.apply(text);
        match (mask, kind.length) {
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
    let column = Column {
        op: operation(mask, kind.length, plain.op, is_text),
        fallback: null.map(|value| Fallback {
            schema: Arc::new(hidden.clone()),
            value,
        }),
    };
    (hidden, Some(column))
}

/// How a text is hidden. A hash is no longer than its column.
fn operation<O: Hide>(mask: &Mask, length: Option<usize>, plain: O, is_text: bool) -> O {
    match (mask, length) {
        (Mask::Hash { .. }, Some(length)) => {
            plain.masked(mask.clone()).masked(Mask::Truncate(length))
        }
        (Mask::Truncate(bytes), _) if !is_text => {
            let characters = bytes.saturating_mul(plain.characters_per_byte());
            plain.masked(Mask::Truncate(characters))
        }
        _ => plain.masked(mask.clone()),
    }
}
