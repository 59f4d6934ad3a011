//! The properties of the JSON converter.

use std::sync::Arc;

use connect_core::{
    Finding, Properties, Schema,
    config::{read_default, read_optional},
};

use super::schema_read;

/// What the source writes for a value that its database did not send (Debezium's default).
pub const DEFAULT_UNAVAILABLE: &str = "__debezium_unavailable_value";

/// How decimals are written (`decimal.format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalFormat {
    /// The unscaled value's bytes in base64.
    #[default]
    Base64,
    /// A JSON number.
    Numeric,
}

/// How JSON is written and read.
#[derive(Debug, Clone)]
pub struct JsonSettings {
    /// `schemas.enable`: whether records carry their schema.
    pub schemas: bool,
    /// `decimal.format`
    pub decimals: DecimalFormat,
    /// `replace.null.with.default`: whether a null field that has a default reads and writes as that.
    pub defaults_for_null: bool,
    /// `schemas.cache.size`: how many schemas a decoder keeps.
    pub cache_size: usize,
    /// `schema.content`: the schema of all records that are read, which then are payloads alone.
    pub schema: Option<Arc<Schema>>,
    /// Whether an entry of a map whose keys are no text is an object of `key` and `value`, not a list of both (JSON Schema's).
    pub entries: bool,
    /// `unavailable.value.placeholder`: what reads as an absent value inside structs and maps; `None` for nothing.
    pub unavailable: Option<Arc<str>>,
}

impl Default for JsonSettings {
    fn default() -> Self {
        Self {
            schemas: true,
            decimals: DecimalFormat::Base64,
            defaults_for_null: true,
            cache_size: 1000,
            schema: None,
            entries: false,
            unavailable: Some(DEFAULT_UNAVAILABLE.into()),
        }
    }
}

impl JsonSettings {
    /// Parses the properties; the error has all findings.
    pub fn parse(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let schemas = read_default(given, "schemas.enable", "true", &mut findings);
        let cache: Option<i32> = read_default(given, "schemas.cache.size", "1000", &mut findings);
        let nulls = read_default(given, "replace.null.with.default", "true", &mut findings);
        let decimals = decimal_format(given, &mut findings);
        let schema = schema_content(given, &mut findings);
        let unavailable: Option<String> =
            read_default(given, UNAVAILABLE, DEFAULT_UNAVAILABLE, &mut findings);
        let settings = (|| {
            Some(Self {
                schemas: schemas?,
                decimals: decimals?,
                defaults_for_null: nulls?,
                cache_size: usize::try_from(cache?).unwrap_or(0),
                schema: schema?,
                entries: false,
                unavailable: unavailable.filter(|t| !t.is_empty()).map(Arc::from),
            })
        })();
        match settings {
            Some(settings) if findings.is_empty() => Ok(settings),
            _ => Err(findings),
        }
    }
}

/// The property that names the placeholder.
pub(crate) const UNAVAILABLE: &str = "unavailable.value.placeholder";

fn decimal_format(given: &Properties, findings: &mut Vec<Finding>) -> Option<DecimalFormat> {
    let text: String = read_default(given, "decimal.format", "BASE64", findings)?;
    match text.to_ascii_uppercase().as_str() {
        "BASE64" => Some(DecimalFormat::Base64),
        "NUMERIC" => Some(DecimalFormat::Numeric),
        _ => {
            let why = "String must be one of (case insensitive): NUMERIC, BASE64";
            findings.push(Finding::invalid("decimal.format", &text, why));
            None
        }
    }
}

fn schema_content(given: &Properties, findings: &mut Vec<Finding>) -> Option<Option<Arc<Schema>>> {
    let text: Option<String> = read_optional(given, "schema.content", findings)?;
    let Some(text) = text else {
        return Some(None);
    };
    match schema_read::schema(text.as_bytes()) {
        Ok(schema) => Some(schema),
        Err(err) => {
            findings.push(Finding::invalid("schema.content", &text, &err.to_string()));
            None
        }
    }
}
