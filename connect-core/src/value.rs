//! An owned value: config defaults, constants, schemaless records, rare transforms.

/// A value of its own, outside any batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The source did not send it.
    Absent,
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A number whose digits are kept as written, since neither `i64` nor `f64` holds them.
    Digits(String),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An array.
    Array(Vec<Value>),
    /// A map with text keys, or a struct, in order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The entry of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}
