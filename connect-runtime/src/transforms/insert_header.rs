//! `InsertHeader`: one more header with the same value for every record.

use std::sync::Arc;

use connect_codec::header::SimpleHeaderConverter;
use connect_core::{
    Batch, Datum, Finding, Header, Properties, Result, Schema, Type, Value,
    codec::Converter,
    config::{Config, Rules},
    transform::{Transform, Verdicts},
};

connect_core::config! {
    /// Add a header to each record.
    pub(super) struct InsertHeaderConfig;
    group "Insert header" {
        /// The name of the header.
        header: String = required, "header", High;
        /// The literal value that is to be set as the header value on all records.
        literal: String = required, "value.literal", High;
    }
}

impl Rules for InsertHeaderConfig {}

/// The transform. The value is read once, with its type guessed as the header converter does.
pub(super) struct InsertHeader {
    name: Arc<str>,
    schema: Option<Arc<Schema>>,
    value: Value,
}

impl InsertHeader {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = InsertHeaderConfig::parse(settings)?;
        let (schema, value) = read(&config.literal).map_err(|err| {
            let why = err.to_string();
            vec![Finding::invalid("value.literal", &config.literal, &why)]
        })?;
        Ok(Self {
            name: config.header.into(),
            schema,
            value,
        })
    }
}

/// The text as a value. Nothing is text, too.
fn read(literal: &str) -> Result<(Option<Arc<Schema>>, Value)> {
    if literal.is_empty() {
        let text = Arc::new(Schema::of(Type::String));
        return Ok((Some(text), Value::Str(String::new())));
    }
    let mut batch = Batch::default();
    let read = SimpleHeaderConverter
        .decoder()
        .decode(Some(literal.trim().as_bytes()), &mut batch)?;
    let value = Datum::of(&batch, read.schema.as_ref(), read.cell).to_value();
    Ok((read.schema, value))
}

impl Transform for InsertHeader {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        let header = Header {
            name: Arc::clone(&self.name),
            schema: self.schema.clone(),
            value: batch.push_value(&self.value, self.schema.as_deref()),
        };
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            super::headers::append(batch, index, [header.clone()]);
        }
        Ok(Verdicts::default())
    }
}
