//! The placeholder that a source writes where its database did not send a value.

use std::sync::Arc;

use connect_core::{Batch, Cell, Value};

/// Knows the placeholder in each of the forms that Debezium gives it.
#[derive(Debug, Clone)]
pub(crate) struct Unavailable {
    text: Arc<str>,
    base64: Box<str>,
}

impl Unavailable {
    pub(crate) fn new(text: &Arc<str>) -> Self {
        use base64::{Engine, engine::general_purpose::STANDARD};
        Self {
            text: Arc::clone(text),
            base64: STANDARD.encode(text.as_bytes()).into(),
        }
    }

    /// Whether text is the placeholder.
    pub(super) fn is_text(&self, text: &[u8]) -> bool {
        text == self.text.as_bytes()
    }

    /// Whether the base64 of bytes is that of the placeholder.
    pub(super) fn is_base64(&self, base64: &[u8]) -> bool {
        base64 == self.base64.as_bytes()
    }

    /// Whether items of an array are the placeholder alone, or the numbers of its bytes.
    pub(super) fn is_items(&self, items: &[Cell], batch: &Batch) -> bool {
        let text = self.text.as_bytes();
        match items {
            [Cell::Span(only)] => self.is_text(batch.span(*only)),
            items if items.len() == text.len() => {
                let same = |(cell, byte): (&Cell, &u8)| *cell == Cell::Int(i64::from(*byte));
                items.iter().zip(text).all(same)
            }
            _ => false,
        }
    }

    /// Whether keys and values of a map are the placeholder alone.
    pub(super) fn is_pair(&self, pairs: &[Cell], batch: &Batch) -> bool {
        match pairs {
            [Cell::Span(key), Cell::Absent] => self.is_text(batch.span(*key)),
            _ => false,
        }
    }

    /// Puts absent values into a schemaless tree in place of placeholders, inside maps only.
    pub(super) fn clear(&self, tree: &mut Value) {
        match tree {
            Value::Map(entries) => {
                for (_, value) in entries {
                    match self.stands_in(value) {
                        true => *value = Value::Absent,
                        false => self.clear(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clear(item)),
            _ => {}
        }
    }

    fn stands_in(&self, value: &Value) -> bool {
        let text = |value: &Value| {
            let text = value.as_str().map(str::as_bytes);
            text.is_some_and(|text| self.is_text(text) || self.is_base64(text))
        };
        match value {
            Value::Array(items) => match items.as_slice() {
                [only] => text(only),
                items if items.len() == self.text.len() => {
                    let same = |(item, byte): (&Value, u8)| *item == Value::Int(i64::from(byte));
                    items.iter().zip(self.text.bytes()).all(same)
                }
                _ => false,
            },
            Value::Map(entries) => match entries.as_slice() {
                [(name, only)] => self.is_text(name.as_bytes()) && text(only),
                _ => false,
            },
            value => text(value),
        }
    }
}
