//! How sinks recognise a value that the source did not send.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{Datum, Form, datum::View, decimal};

/// The placeholder that sources write for an unchanged value they do not have (Debezium's `unavailable.value.placeholder`).
///
/// Formats cannot carry [`Cell::Absent`](crate::Cell::Absent), so it comes back from a topic as this text, as these bytes
/// (base64 in JSON), as an array of one such item or of the bytes' numbers, or as a map of it to itself.
#[derive(Debug, Clone)]
pub struct Placeholder {
    text: Box<[u8]>,
    base64: Box<[u8]>,
}

/// Debezium's default.
pub const PLACEHOLDER: &str = "__debezium_unavailable_value";

impl Placeholder {
    /// A placeholder; the text `hex:…` stands for the bytes of these hex digits, as in Debezium.
    pub fn new(text: &str) -> Self {
        let bytes = match text.strip_prefix("hex:") {
            Some(hex) => decimal::unhex(hex.as_bytes()),
            None => text.as_bytes().to_vec(),
        };
        Self {
            base64: STANDARD.encode(&bytes).into_bytes().into(),
            text: bytes.into(),
        }
    }

    /// Whether a value is absent, be it told by the cell or by the placeholder.
    pub fn is(&self, datum: Datum<'_>) -> bool {
        // Invariant 3: absent is not null, and never a value.
        match datum.view() {
            View::Absent => true,
            View::Text(text) => self.is_text(text),
            View::Bytes(bytes, Form::Plain) => *bytes == *self.text,
            View::Bytes(bytes, Form::Hex) => {
                bytes.len() == self.text.len() * 2 && *decimal::unhex(bytes) == *self.text
            }
            View::Array => self.is_array(datum),
            View::Map => self.is_map(datum),
            _ => false,
        }
    }

    fn is_text(&self, text: &[u8]) -> bool {
        *text == *self.text || *text == *self.base64
    }

    fn is_array(&self, datum: Datum<'_>) -> bool {
        match datum.items().as_slice() {
            [only] => match only.view() {
                View::Text(text) => self.is_text(text),
                View::Bytes(bytes, Form::Plain) => *bytes == *self.text,
                _ => false,
            },
            items if items.len() == self.text.len() => items
                .iter()
                .zip(&self.text)
                .all(|(item, byte)| item.int() == Some(i64::from(*byte))),
            _ => false,
        }
    }

    fn is_map(&self, datum: Datum<'_>) -> bool {
        match datum.entries().as_slice() {
            [(name, value)] if *name.as_bytes() == *self.text => {
                matches!(value.view(), View::Text(text) if self.is_text(text))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn every_form_of_the_placeholder_is_known() {
        let placeholder = Placeholder::new(PLACEHOLDER);
        let is = |value: Value| placeholder.is(Datum::of_value(None, &value));
        let base64 = STANDARD.encode(PLACEHOLDER);
        assert!(is(Value::Absent));
        assert!(is(PLACEHOLDER.into()));
        assert!(is(Value::Str(base64)));
        assert!(is(Value::Bytes(PLACEHOLDER.into())));
        assert!(is(Value::Array(vec![PLACEHOLDER.into()])));
        let numbers = PLACEHOLDER.bytes().map(|b| Value::Int(b.into()));
        assert!(is(Value::Array(numbers.collect())));
        assert!(is(Value::Map(vec![(
            PLACEHOLDER.into(),
            PLACEHOLDER.into()
        )])));
        assert!(!is(Value::Null));
        assert!(!is("__debezium_unavailable_valuf".into()));
        assert!(!is(Value::Array(vec![])));
        assert!(!is(Value::Array(vec![
            PLACEHOLDER.into(),
            PLACEHOLDER.into()
        ])));
    }

    #[test]
    fn octets_may_be_given_in_hex() {
        let placeholder = Placeholder::new("hex:00ff");
        let value = Value::Bytes(vec![0, 255]);
        assert!(placeholder.is(Datum::of_value(None, &value)));
    }
}
