//! Connect's schemas as Avro's, in the text that Confluent's converter registers.
//!
//! The order of members is that of Avro's Java library, so that a registry finds what is there already. The mapping is
//! Confluent's `AvroData`: names from the schema's, what Avro has no place for under `connect.`, optional as a union with null.

use std::sync::Arc;

use connect_core::{Error, Result, Schema, Type, decimal::scale_of, schema::logical};
use rustc_hash::FxHashSet;

use super::{
    AvroSettings,
    default::{write_default, write_json_text},
    names::{is_name, scrubbed, split},
};
use crate::error::SCHEMA_UNFIT;

/// Confluent's names for what has none.
pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
pub(super) const UNION: &str = "io.confluent.connect.avro.Union";
pub(super) const ENUM: &str = "io.confluent.connect.avro.Enum";
pub(super) const MAP_ENTRY: &str = "MapEntry";
pub(super) const FIXED_SIZE: &str = "connect.fixed.size";
pub(super) const PRECISION: &str = "connect.decimal.precision";
pub(super) const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
pub(super) const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
pub(super) const DEFAULT_FLAG: &str = "io.confluent.connect.avro.field.default";
pub(super) const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
pub(super) const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
/// Confluent's precision of decimals that have none.
pub(super) const DEFAULT_PRECISION: u32 = 64;

/// The text of a schema, and the full name that its subject may be called by.
pub(super) fn avro_schema(schema: &Schema, settings: &AvroSettings) -> Result<(String, String)> {
    let mut writer = Writer {
        settings,
        out: Vec::new(),
        defined: Vec::new(),
        seen: FxHashSet::default(),
        unnamed: 0,
    };
    writer.schema(schema, None, false)?;
    let record = match &schema.ty {
        // Java's name of a union.
        _ if schema.optional => "union".to_owned(),
        Type::Struct(_) if !is_union(schema) => match writer.defined.first() {
            Some((name, _)) => name.clone(),
            None => "record".to_owned(),
        },
        ty => java_name(ty).to_owned(),
    };
    let text = String::from_utf8(writer.out);
    Ok((text.map_err(|_| unfit("a name is not UTF-8"))?, record))
}

/// Whether a struct stands for a union.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.is(UNION)
}

/// The symbols of a string that stands for an enum.
pub(super) fn symbols_of(schema: &Schema) -> Vec<&str> {
    let dotted = format!("{ENUM}.");
    let names = schema.parameters.iter();
    names
        .filter_map(|(name, _)| name.strip_prefix(&dotted))
        .collect()
}

/// Whether a string is written as an enum.
pub(super) fn is_enum(schema: &Schema, settings: &AvroSettings) -> bool {
    settings.enhanced && schema.ty == Type::String && schema.parameter_value(ENUM).is_some()
}

/// The size of bytes that are written as a fixed.
pub(super) fn fixed_size(schema: &Schema) -> Option<usize> {
    let fixed = schema.ty == Type::Bytes && schema.name.is_some();
    let size = schema.parameter_value(FIXED_SIZE).filter(|_| fixed)?;
    size.parse().ok()
}

/// Whether the keys of a map are those of Avro's maps.
pub(super) fn has_text_keys(key: &Schema, settings: &AvroSettings) -> bool {
    key.ty == Type::String && (!key.optional || settings.optional_keys)
}

struct Writer<'a> {
    settings: &'a AvroSettings,
    out: Vec<u8>,
    /// Named types so far, with their definitions.
    defined: Vec<(String, Arc<Schema>)>,
    /// Names of fields' schemas so far.
    seen: FxHashSet<String>,
    unnamed: u32,
}

impl Writer<'_> {
    /// Appends a schema within a namespace; `bare` leaves out that it is optional.
    fn schema(&mut self, schema: &Schema, space: Option<&str>, bare: bool) -> Result<()> {
        if is_union(schema) {
            return self.union(schema, space);
        }
        let optional = schema.optional && !bare;
        // As in Confluent's: a struct's default never comes first.
        let default_first = schema.default.is_some() && !matches!(schema.ty, Type::Struct(_));
        if optional {
            self.put(if default_first { "[" } else { "[\"null\"," });
        }
        self.base(schema, space)?;
        if optional {
            self.put(if default_first { ",\"null\"]" } else { "]" });
        }
        Ok(())
    }

    fn union(&mut self, schema: &Schema, space: Option<&str>) -> Result<()> {
        self.put("[");
        if schema.optional {
            self.put("\"null\"");
        }
        for (at, field) in schema.fields().iter().enumerate() {
            if at > 0 || schema.optional {
                self.put(",");
            }
            self.schema(&field.schema, space, true)?;
        }
        self.put("]");
        Ok(())
    }

    fn base(&mut self, schema: &Schema, space: Option<&str>) -> Result<()> {
        match &schema.ty {
            Type::Struct(_) => self.record(schema, space),
            Type::String if is_enum(schema, self.settings) => self.enumeration(schema, space),
            Type::Bytes if fixed_size(schema).is_some() => self.fixed(schema, space),
            Type::Array(item) => {
                self.put("{\"type\":\"array\",\"items\":");
                self.schema(item, space, false)?;
                self.props(schema)?;
                self.put("}");
                Ok(())
            }
            Type::Map(key, value) if has_text_keys(key, self.settings) => {
                self.put("{\"type\":\"map\",\"values\":");
                self.schema(value, space, false)?;
                self.props(schema)?;
                self.put("}");
                Ok(())
            }
            Type::Map(key, value) => self.entries(schema, key, value, space),
            ty => self.primitive(schema, java_name(ty)),
        }
    }

    fn primitive(&mut self, schema: &Schema, name: &str) -> Result<()> {
        let start = self.out.len();
        self.put("{\"type\":");
        self.text(name);
        let plain = self.out.len();
        self.decimal(schema)?;
        self.props(schema)?;
        if self.out.len() == plain {
            self.out.truncate(start);
            self.text(name);
        } else {
            self.put("}");
        }
        Ok(())
    }

    /// Appends the reference to a named type that is defined already.
    fn is_defined(&mut self, full: &str, schema: &Schema, space: Option<&str>) -> Result<bool> {
        let Some((_, known)) = self.defined.iter().find(|(name, _)| name == full) else {
            let schema = Schema {
                parameters: Vec::new(),
                ..schema.clone()
            };
            self.defined.push((full.to_owned(), Arc::new(schema)));
            return Ok(false);
        };
        if known.ty != schema.ty {
            return Err(
                unfit("two schemas have one name and different fields").context("name", full)
            );
        }
        let (own, name) = split(full);
        let text = if own == space { name } else { full };
        self.text(text);
        Ok(true)
    }

    fn record(&mut self, schema: &Schema, space: Option<&str>) -> Result<()> {
        let full = self.full_name(schema)?;
        if self.is_defined(&full, schema, space)? {
            return Ok(());
        }
        let own = self.named("record", &full, space);
        if let Some(doc) = schema.parameter_value(RECORD_DOC) {
            self.member("doc", doc);
        }
        self.put(",\"fields\":[");
        for (at, field) in schema.fields().iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            let doc = schema.parameter_value(&format!("{FIELD_DOC}{}", field.name));
            self.field(&field.name, &field.schema, doc, own.as_deref())?;
        }
        self.put("]");
        self.props(schema)?;
        self.put("}");
        Ok(())
    }

    fn field(
        &mut self,
        name: &str,
        schema: &Schema,
        doc: Option<&str>,
        space: Option<&str>,
    ) -> Result<()> {
        let name = self.fit(name)?;
        self.put("{\"name\":");
        self.text(&name);
        self.put(",\"type\":");
        let full = schema.name.as_deref().map(|name| self.scrub_all(name));
        let seen = full.is_some_and(|full| !self.seen.insert(full));
        self.schema(schema, space, false)?;
        if let Some(doc) = doc {
            self.member("doc", doc);
        }
        // A union's default is of its first branch: for a struct that is null.
        let misfit = schema.optional && (matches!(schema.ty, Type::Struct(_)) || is_union(schema));
        match &schema.default {
            Some(_) if misfit => {}
            Some(value) if !value.is_null() => {
                self.put(",\"default\":");
                write_default(schema, value, self.settings, &mut self.out)?;
            }
            _ if schema.optional => self.put(",\"default\":null"),
            _ => {}
        }
        let named = matches!(schema.ty, Type::Struct(_))
            || is_enum(schema, self.settings)
            || fixed_size(schema).is_some();
        if seen && named && self.settings.meta {
            self.parameters(schema);
        }
        self.put("}");
        Ok(())
    }

    fn entries(
        &mut self,
        schema: &Schema,
        key: &Schema,
        value: &Schema,
        space: Option<&str>,
    ) -> Result<()> {
        self.put("{\"type\":\"array\",\"items\":");
        let full = match &schema.name {
            None => format!("{NAMESPACE}.{MAP_ENTRY}"),
            Some(_) => self.full_name(schema)?,
        };
        if !self.is_defined(&full, schema, space)? {
            let own = self.named("record", &full, space);
            self.put(",\"fields\":[");
            self.field("key", key, None, own.as_deref())?;
            self.put(",");
            self.field("value", value, None, own.as_deref())?;
            self.put("]");
            if schema.name.is_some() {
                self.member("connect.internal.type", MAP_ENTRY);
            }
            self.put("}");
        }
        self.props(schema)?;
        self.put("}");
        Ok(())
    }

    fn enumeration(&mut self, schema: &Schema, space: Option<&str>) -> Result<()> {
        let full = self.scrub_all(schema.parameter_value(ENUM).unwrap_or_default());
        self.fit_all(&full)?;
        if self.is_defined(&full, schema, space)? {
            return Ok(());
        }
        let own = schema.name.as_deref().map_or("", |name| split(name).1);
        self.named("enum", &full, space);
        if let Some(doc) = schema.parameter_value(&format!("{ENUM_DOC}{own}")) {
            self.member("doc", doc);
        }
        self.put(",\"symbols\":[");
        for (at, symbol) in symbols_of(schema).into_iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            self.text(symbol);
        }
        self.put("]");
        if let Some(default) = schema.parameter_value(&format!("{ENUM_DEFAULT}{own}")) {
            self.member("default", default);
        }
        self.props(schema)?;
        self.put("}");
        Ok(())
    }

    fn fixed(&mut self, schema: &Schema, space: Option<&str>) -> Result<()> {
        let full = self.full_name(schema)?;
        if self.is_defined(&full, schema, space)? {
            return Ok(());
        }
        self.named("fixed", &full, space);
        let size = fixed_size(schema).unwrap_or_default();
        self.put(&format!(",\"size\":{size}"));
        self.decimal(schema)?;
        self.props(schema)?;
        self.put("}");
        Ok(())
    }

    /// Appends kind, name and namespace; gives the namespace back.
    fn named(&mut self, kind: &str, full: &str, space: Option<&str>) -> Option<String> {
        let (own, name) = split(full);
        self.put("{\"type\":");
        self.text(kind);
        self.member("name", name);
        if own != space {
            self.member("namespace", own.unwrap_or_default());
        }
        own.map(str::to_owned)
    }

    fn decimal(&mut self, schema: &Schema) -> Result<()> {
        if !schema.is(logical::DECIMAL) || schema.ty != Type::Bytes {
            return Ok(());
        }
        let scale = scale_of(schema).ok_or_else(|| unfit("a decimal has no scale"))?;
        let precision = precision_of(schema);
        self.put(&format!(",\"scale\":{scale},\"precision\":{precision}"));
        Ok(())
    }

    /// Appends what Avro has no place for.
    fn props(&mut self, schema: &Schema) -> Result<()> {
        if self.settings.meta {
            if let Some(doc) = &schema.doc {
                self.member("connect.doc", doc);
            }
            if let Some(version) = schema.version {
                self.put(&format!(",\"connect.version\":{version}"));
            }
            self.parameters(schema);
            let flagged = schema.parameter_value(DEFAULT_FLAG).is_some();
            if let Some(value) = schema.default.as_ref().filter(|v| !v.is_null() && !flagged) {
                self.put(",\"connect.default\":");
                write_default(schema, value, self.settings, &mut self.out)?;
            }
            if let Some(name) = &schema.name {
                self.member("connect.name", name);
            }
            match schema.ty {
                Type::Int8 => self.member("connect.type", "int8"),
                Type::Int16 => self.member("connect.type", "int16"),
                _ => {}
            }
        }
        if let Some(logical) = logical_type(schema) {
            self.member("logicalType", logical);
        }
        for (name, value) in schema
            .parameters
            .iter()
            .filter(|(name, _)| name.starts_with("avro"))
        {
            self.member(name, value);
        }
        Ok(())
    }

    fn parameters(&mut self, schema: &Schema) {
        let all = schema.parameters.iter();
        let mut open = false;
        for (name, value) in all.filter(|(name, _)| &**name != DEFAULT_FLAG) {
            self.put(if open {
                ","
            } else {
                ",\"connect.parameters\":{"
            });
            open = true;
            self.text(name);
            self.put(":");
            self.text(value);
        }
        if open {
            self.put("}");
        }
    }

    /// The full name of a schema, or the next of those that stand for none.
    fn full_name(&mut self, schema: &Schema) -> Result<String> {
        let full = match schema.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => self.scrub_all(name),
            None => {
                self.unnamed += 1;
                match self.unnamed {
                    1 => format!("{NAMESPACE}.ConnectDefault"),
                    n => format!("{NAMESPACE}.ConnectDefault{n}"),
                }
            }
        };
        self.fit_all(&full)?;
        Ok(full)
    }

    fn scrub_all(&self, full: &str) -> String {
        if !self.settings.scrub {
            return full.to_owned();
        }
        let parts: Vec<_> = full.split('.').map(scrubbed).collect();
        parts.join(".")
    }

    fn fit_all(&self, full: &str) -> Result<()> {
        match full.split('.').all(is_name) {
            true => Ok(()),
            false => Err(unfit("Avro does not allow the name of a schema").context("name", full)),
        }
    }

    fn fit(&self, name: &str) -> Result<String> {
        let fit = if self.settings.scrub {
            scrubbed(name)
        } else {
            name.into()
        };
        match is_name(&fit) {
            true => Ok(fit.into_owned()),
            false => Err(unfit("Avro does not allow the name of a field").context("name", name)),
        }
    }

    fn member(&mut self, name: &str, value: &str) {
        self.put(",");
        self.text(name);
        self.put(":");
        self.text(value);
    }

    fn text(&mut self, text: &str) {
        write_json_text(text, &mut self.out);
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// The precision of a decimal, or Confluent's.
pub(super) fn precision_of(schema: &Schema) -> u32 {
    let given = schema.parameter_value(PRECISION);
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_PRECISION)
}

fn logical_type(schema: &Schema) -> Option<&'static str> {
    match (schema.name.as_deref()?, &schema.ty) {
        (logical::DECIMAL, Type::Bytes) => Some("decimal"),
        (logical::DATE, Type::Int32) => Some("date"),
        (logical::TIME, Type::Int32) => Some("time-millis"),
        (logical::TIMESTAMP, Type::Int64) => Some("timestamp-millis"),
        _ => None,
    }
}

fn java_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "boolean",
        Type::Int8 | Type::Int16 | Type::Int32 => "int",
        Type::Int64 => "long",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Array(_) => "array",
        Type::Map(..) => "map",
        Type::Struct(_) => "record",
    }
}

pub(super) fn unfit(what: &'static str) -> Error {
    Error::new(&SCHEMA_UNFIT, what)
}
