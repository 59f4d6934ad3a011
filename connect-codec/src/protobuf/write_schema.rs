//! Connect's schemas as `.proto` texts, as Confluent's converter maps them.

use std::fmt::Write;

use connect_core::{Error, Result, Schema, Type, schema::logical};

use super::ProtobufSettings;
use crate::{
    avro::names::{is_name, scrubbed, split},
    error::SCHEMA_UNFIT,
};

/// A field's number, when the schema came from Protobuf.
pub(super) const TAG: &str = "io.confluent.connect.protobuf.Tag";

/// How a type is written: its name, and the file that it is imported from.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) import: Option<&'static str>,
}

/// The text of a struct's schema, and the full name of its message.
pub(super) fn proto(schema: &Schema, settings: &ProtobufSettings) -> Result<(String, String)> {
    let Type::Struct(_) = schema.ty else {
        return Err(unfit(
            "ProtobufConverter writes structs only; this schema is none",
        ));
    };
    let mut writer = Writer {
        settings,
        imports: Vec::new(),
        unnamed: 0,
    };
    let full = writer.full_name(schema);
    let (package, name) = split(&full);
    let mut body = String::new();
    writer.message(schema, &fit(name, settings)?, 0, &mut body)?;
    let mut text = "syntax = \"proto3\";\n".to_owned();
    let mut record = name.to_owned();
    if let Some(package) = package {
        let parts = package.split('.').map(|part| fit(part, settings));
        let package = parts.collect::<Result<Vec<_>>>()?.join(".");
        record = format!("{package}.{}", fit(name, settings)?);
        put(&mut text, format_args!("package {package};\n"));
    }
    text.push('\n');
    writer.imports.sort_unstable();
    for import in &writer.imports {
        put(&mut text, format_args!("import \"{import}\";\n"));
    }
    if !writer.imports.is_empty() {
        text.push('\n');
    }
    text.push_str(&body);
    Ok((text, record))
}

struct Writer<'a> {
    settings: &'a ProtobufSettings,
    imports: Vec<&'static str>,
    unnamed: u32,
}

impl Writer<'_> {
    fn message(
        &mut self,
        schema: &Schema,
        name: &str,
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        let pad = "  ".repeat(depth);
        put(out, format_args!("{pad}message {name} {{\n"));
        let mut nested = String::new();
        let mut known = vec![name.to_owned()];
        for (at, field) in schema.fields().iter().enumerate() {
            let given = field
                .schema
                .parameter_value(TAG)
                .and_then(|tag| tag.parse().ok());
            let number = given.unwrap_or(at + 1);
            self.field(
                &field.name,
                &field.schema,
                number,
                depth,
                (&mut known, &mut nested),
                out,
            )
            .map_err(|error| error.context("field", &field.name))?;
        }
        if !nested.is_empty() {
            put(out, format_args!("\n{nested}"));
        }
        put(out, format_args!("{pad}}}\n"));
        Ok(())
    }

    fn field(
        &mut self,
        name: &str,
        schema: &Schema,
        number: usize,
        depth: usize,
        (known, nested): (&mut Vec<String>, &mut String),
        out: &mut String,
    ) -> Result<()> {
        let name = fit(name, self.settings)?;
        let (label, item) = match &schema.ty {
            Type::Array(item) => ("repeated ", &**item),
            Type::Map(..) => ("repeated ", schema),
            _ if self.settings.optional && schema.optional => ("optional ", schema),
            _ => ("", schema),
        };
        let written = self.type_of(item, &name)?;
        if let Some(import) = written.import
            && !self.imports.contains(&import)
        {
            self.imports.push(import);
        }
        if written.import.is_none() && !known.contains(&written.name) {
            match &item.ty {
                Type::Struct(_) => {
                    known.push(written.name.clone());
                    self.message(item, &written.name, depth + 1, nested)?;
                }
                Type::Map(key, value) => {
                    let entry = Schema::structure([
                        connect_core::Field::new("key", std::sync::Arc::clone(key)),
                        connect_core::Field::new("value", std::sync::Arc::clone(value)),
                    ]);
                    known.push(written.name.clone());
                    self.message(&entry, &written.name, depth + 1, nested)?;
                }
                _ => {}
            }
        }
        let options = self.options(item);
        let pad = "  ".repeat(depth + 1);
        put(
            out,
            format_args!("{pad}{label}{} {name} = {number}{options};\n", written.name),
        );
        Ok(())
    }

    /// What Protobuf has no type for stands in an option of the field.
    fn options(&mut self, schema: &Schema) -> String {
        let mut params: Vec<(&str, &str)> = Vec::new();
        match (&schema.ty, schema.name.as_deref()) {
            (Type::Bytes, Some(logical::DECIMAL)) => {
                let pairs = [
                    ("connect.decimal.precision", "precision"),
                    ("scale", "scale"),
                ];
                params.extend(
                    pairs
                        .iter()
                        .filter_map(|(from, to)| Some((*to, schema.parameter_value(from)?))),
                );
            }
            (Type::Int8, _) => params.push(("connect.type", "int8")),
            (Type::Int16, _) => params.push(("connect.type", "int16")),
            _ => {}
        }
        if params.is_empty() || !self.settings.meta {
            return String::new();
        }
        if !self.imports.contains(&"confluent/meta.proto") {
            self.imports.push("confluent/meta.proto");
        }
        let one = |(key, value): &(&str, &str)| format!("{{ key: \"{key}\", value: \"{value}\" }}");
        let params: Vec<String> = params.iter().map(one).collect();
        format!(
            " [(confluent.field_meta) = {{ params: [{}] }}]",
            params.join(", ")
        )
    }

    fn type_of(&mut self, schema: &Schema, field: &str) -> Result<Written> {
        if let Some(logical) = logical_type(schema) {
            return Ok(logical);
        }
        let wrapped = self.settings.wrapper && schema.optional;
        let scalar = |plain: &str, wrapper: &str| match wrapped {
            true => Written {
                name: format!("google.protobuf.{wrapper}"),
                import: Some("google/protobuf/wrappers.proto"),
            },
            false => Written {
                name: plain.to_owned(),
                import: None,
            },
        };
        let message = |name: String| Written { name, import: None };
        Ok(match &schema.ty {
            Type::Int8 | Type::Int16 | Type::Int32 => scalar("int32", "Int32Value"),
            Type::Int64 => scalar("int64", "Int64Value"),
            Type::Float32 => scalar("float", "FloatValue"),
            Type::Float64 => scalar("double", "DoubleValue"),
            Type::Bool => scalar("bool", "BoolValue"),
            Type::String => scalar("string", "StringValue"),
            Type::Bytes => scalar("bytes", "BytesValue"),
            Type::Array(_) => return Err(unfit("Array cannot be nested")),
            Type::Map(..) => message(entry_name(&fit(
                split(&self.full_name(schema)).1,
                self.settings,
            )?)),
            Type::Struct(_) => {
                let own = fit(split(&self.full_name(schema)).1, self.settings)?;
                // A message and a field of one name do not go together.
                message(if own == field {
                    format!("{own}Message")
                } else {
                    own
                })
            }
        })
    }

    /// The name of a schema, or the next of those that stand for none.
    fn full_name(&mut self, schema: &Schema) -> String {
        match schema.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => name.to_owned(),
            None => {
                self.unnamed += 1;
                format!("ConnectDefault{}", self.unnamed)
            }
        }
    }
}

/// Types that are messages of Google's or Confluent's.
fn logical_type(schema: &Schema) -> Option<Written> {
    let (name, import) = match (schema.name.as_deref()?, &schema.ty) {
        (logical::DECIMAL, Type::Bytes) => {
            ("confluent.type.Decimal", "confluent/type/decimal.proto")
        }
        (logical::DATE, Type::Int32) => ("google.type.Date", "google/type/date.proto"),
        (logical::TIME, Type::Int32) => ("google.type.TimeOfDay", "google/type/timeofday.proto"),
        (logical::TIMESTAMP, Type::Int64) => (
            "google.protobuf.Timestamp",
            "google/protobuf/timestamp.proto",
        ),
        _ => return None,
    };
    Some(Written {
        name: name.to_owned(),
        import: Some(import),
    })
}

fn entry_name(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut chars = part.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    let camel = if name.contains('_') {
        parts.collect()
    } else {
        name.to_owned()
    };
    format!("{camel}Entry")
}

fn fit(name: &str, settings: &ProtobufSettings) -> Result<String> {
    let fit = if settings.scrub {
        scrubbed(name)
    } else {
        name.into()
    };
    match is_name(&fit) {
        true => Ok(fit.into_owned()),
        false => Err(unfit("Protobuf does not allow a name").context("name", name)),
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
}

fn unfit(what: &'static str) -> Error {
    Error::new(&SCHEMA_UNFIT, what)
}
