//! Kafka Connect's schemas, and the form in which the bytes of a value lie.

use std::sync::Arc;

use crate::Value;

/// Kafka Connect's types (`org.apache.kafka.connect.data.Schema.Type`).
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `boolean`
    Bool,
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `float`
    Float32,
    /// `double`
    Float64,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `array` of items
    Array(Arc<Schema>),
    /// `map` of keys and values
    Map(Arc<Schema>, Arc<Schema>),
    /// `struct`
    Struct(Box<[Field]>),
}

/// How the bytes of a [`Span`](crate::Span) are written, where the type alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// UTF-8 for strings, the bytes themselves for bytes, ASCII digits for numbers.
    #[default]
    Plain,
    /// A Kafka Connect `Decimal` written as ASCII decimal text (`-12.50`) instead of unscaled bytes.
    DecimalText,
    /// Bytes written as lower or upper case hex digits, without prefix.
    Hex,
}

/// A Kafka Connect schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Its type.
    pub ty: Type,
    /// Its semantic name, such as `io.debezium.time.MicroTimestamp`.
    pub name: Option<Arc<str>>,
    /// Its version.
    pub version: Option<i32>,
    /// Its documentation.
    pub doc: Option<Arc<str>>,
    /// Whether null is allowed.
    pub optional: bool,
    /// The default value.
    pub default: Option<Value>,
    /// Parameters, in order.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
    /// How span bytes of this schema are written.
    pub form: Form,
    /// What converters write for [`Cell::Absent`](crate::Cell::Absent); `None` leaves the field out or null.
    pub absent: Option<Value>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its schema.
    pub schema: Arc<Schema>,
    /// The value of every row, so that encoders can write it once; such cells are [`Cell::Const`](crate::Cell::Const).
    pub constant: Option<Value>,
}

impl Schema {
    /// A required schema of a type, without name.
    pub fn of(ty: Type) -> Self {
        Self {
            ty,
            name: None,
            version: None,
            doc: None,
            optional: false,
            default: None,
            parameters: Vec::new(),
            form: Form::Plain,
            absent: None,
        }
    }

    /// A required struct.
    pub fn structure(fields: impl Into<Box<[Field]>>) -> Self {
        Self::of(Type::Struct(fields.into()))
    }

    /// The same, with a semantic name and version.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>, version: i32) -> Self {
        self.name = Some(name.into());
        self.version = Some(version);
        self
    }

    /// The same, with a name and no version.
    #[must_use]
    pub fn titled(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same, where null is allowed.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same, with a parameter more.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// The same, with a default.
    #[must_use]
    pub fn default_value(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }

    /// The same, with span bytes in another form.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The same, with what stands for an absent value.
    #[must_use]
    pub fn absent(mut self, value: Value) -> Self {
        self.absent = Some(value);
        self
    }

    /// The fields of a struct; none for every other type.
    pub fn fields(&self) -> &[Field] {
        match &self.ty {
            Type::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// Index and field of a name.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields()
            .iter()
            .enumerate()
            .find(|(_, field)| &*field.name == name)
    }

    /// Whether the semantic name is this one.
    pub fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    /// A parameter's value.
    pub fn parameter_value(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(n, _)| &**n == name)
            .map(|(_, v)| &**v)
    }
}

impl Field {
    /// A field.
    pub fn new(name: impl Into<Arc<str>>, schema: impl Into<Arc<Schema>>) -> Self {
        Self {
            name: name.into(),
            schema: schema.into(),
            constant: None,
        }
    }

    /// A field that has the same value in every row.
    pub fn constant(
        name: impl Into<Arc<str>>,
        schema: impl Into<Arc<Schema>>,
        value: Value,
    ) -> Self {
        Self {
            name: name.into(),
            schema: schema.into(),
            constant: Some(value),
        }
    }
}

/// Semantic names that are Kafka Connect's own.
pub mod logical {
    /// Unscaled big-endian bytes with the parameter `scale`.
    pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
    /// Days since 1970-01-01.
    pub const DATE: &str = "org.apache.kafka.connect.data.Date";
    /// Milliseconds since midnight.
    pub const TIME: &str = "org.apache.kafka.connect.data.Time";
    /// Milliseconds since 1970-01-01.
    pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
}
