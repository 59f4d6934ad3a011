//! `column.propagate.source.type`, `datatype.propagate.source.type`: a column's type in the parameters of its schema.

use std::sync::Arc;

use connect_core::{Field, Finding, Schema, config::List};

use crate::filters::Patterns;

/// Which columns tell their types.
#[derive(Debug, Clone)]
pub struct SourceTypes {
    columns: Patterns,
    types: Patterns,
}

/// A column's type.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Its name in capitals.
    pub name: &'a str,
    /// Its length, as the JDBC driver tells it; none where it tells none.
    pub length: Option<i32>,
    /// Its scale, likewise.
    pub scale: Option<i32>,
    /// The column's name.
    pub column: &'a str,
    /// Its comment, where comments are told.
    pub comment: Option<&'a str>,
}

impl SourceTypes {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub fn new(
        columns: (&str, &List),
        types: (&str, &List),
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let mut compile = |(key, list)| Patterns::compile(key, list, findings);
        let (columns, types) = (compile(columns), compile(types));
        Some(Self {
            columns: columns?,
            types: types?,
        })
    }

    /// Whether a column of a table is to tell its type.
    pub fn want(&self, table: &str, column: &str, type_name: &str) -> bool {
        let wanted = |patterns: &Patterns, name: &str| {
            !patterns.is_empty() && patterns.matches(&format!("{table}.{name}"))
        };
        wanted(&self.columns, column) || wanted(&self.types, type_name)
    }
}

/// Adds the type of a column to the schema of its field.
pub fn tell(told: Told<'_>, field: &mut Field) {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let parameters = [
        ("type", Some(told.name.to_owned())),
        ("length", number(told.length)),
        ("scale", number(told.scale)),
        ("name", Some(told.column.to_owned())),
        ("comment", told.comment.map(str::to_owned)),
    ];
    let mut schema = Schema::clone(&field.schema);
    for (name, value) in parameters {
        if let Some(value) = value {
            schema = schema.parameter(format!("__debezium.source.column.{name}"), value);
        }
    }
    field.schema = Arc::new(schema);
}
