//! JSON with a JSON Schema in the registry: Confluent's `JsonSchemaConverter`.
//!
//! Values are those of the JSON converter without schemas, except for maps whose keys are no text.

mod to_connect;
mod write_schema;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use connect_core::{
    Batch, Result, Schema,
    codec::{Decoded, Encode},
    config::{
        Importance::{Low, Medium},
        Kind,
    },
};

use crate::{
    json::{
        DecimalFormat, JsonSettings, decode::FixedReader, encode::JsonEncoder,
        unavailable::Unavailable,
    },
    schema_registry::{
        Declared, Format, Line, Registered, Settings, Target, Written, head, needed,
    },
};

const DECIMALS: &str = "decimal.format";

/// JSON Schema, as a format of the registry.
pub(crate) struct JsonSchema {
    values: Arc<JsonSettings>,
    unavailable: Option<Unavailable>,
    /// `object.additional.properties`
    open: bool,
    /// `use.optional.for.nonrequired`
    optional: bool,
}

impl Format for JsonSchema {
    const KIND: &'static str = "JSON";
    #[rustfmt::skip]
    const LINES: &'static [Line] = &[
        (DECIMALS, Kind::String, Some("BASE64"), Low, "BASE64 writes decimals as their unscaled bytes, NUMERIC as numbers."),
        ("object.additional.properties", Kind::Boolean, Some("true"), Medium, "Whether objects may have properties that the schema does not name."),
        ("use.optional.for.nonrequired", Kind::Boolean, Some("false"), Medium, "Whether properties that are not required read as optional."),
    ];
    type Reader = FixedReader;

    fn parse(declared: &mut Declared<'_>, of_registry: &Settings) -> Self {
        let text: String = declared.read(Self::LINES, DECIMALS, "BASE64".to_owned());
        let decimals = match text.to_ascii_uppercase().as_str() {
            "BASE64" => DecimalFormat::Base64,
            "NUMERIC" => DecimalFormat::Numeric,
            _ => {
                let why = "String must be one of (case insensitive): NUMERIC, BASE64";
                declared.invalid(DECIMALS, &text, why);
                DecimalFormat::Base64
            }
        };
        let unavailable: Option<Arc<str>> = of_registry.unavailable.as_deref().map(Arc::from);
        Self {
            unavailable: unavailable.as_ref().map(Unavailable::new),
            values: Arc::new(JsonSettings {
                schemas: false,
                decimals,
                defaults_for_null: !of_registry.keep_nulls,
                entries: true,
                ..JsonSettings::default()
            }),
            open: declared.read(Self::LINES, "object.additional.properties", true),
            optional: declared.read(Self::LINES, "use.optional.for.nonrequired", false),
        }
    }

    fn written(&self, schema: Option<&Arc<Schema>>) -> Result<Written> {
        let schema = needed(schema, "JsonSchemaConverter")?;
        Ok(Written {
            text: write_schema::json_schema(schema, self)?,
            record: schema.name.as_deref().map(str::to_owned),
        })
    }

    /// What is written does not depend on the registry's schema.
    fn encoder(
        &self,
        schema: Option<&Arc<Schema>>,
        target: Target<'_>,
        _strict: bool,
    ) -> Result<Box<dyn Encode>> {
        let encoder = JsonEncoder::new(schema, &self.values)?;
        Ok(Box::new(encoder.after(head(target.id))))
    }

    fn reader(&self, schema: &Registered) -> Result<FixedReader> {
        let schema = to_connect::schema(schema, self.optional)?;
        Ok(FixedReader::new(&Arc::new(schema)))
    }

    fn decode(&self, reader: &FixedReader, payload: &[u8], batch: &mut Batch) -> Result<Decoded> {
        let defaults = self.values.defaults_for_null;
        reader.read(payload, self.unavailable.as_ref(), defaults, batch)
    }
}
