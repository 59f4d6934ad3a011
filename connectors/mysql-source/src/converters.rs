//! Debezium's own converters of columns (`converters`), by the names of their classes
//! (<https://debezium.io/documentation/reference/3.6/connectors/mysql.html>, "Custom converters").
//!
//! The first one that wants a column has it.

use cdc::filters::Patterns;
use connect_core::{Finding, Properties, Schema, Type, config::List, config::ParseValue};

use crate::{
    catalog::{ColumnInfo, TableInfo},
    convert::Op,
    types::Shape,
};

/// The converters of a connector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Converters(Vec<Converter>);

#[derive(Debug, Clone)]
enum Converter {
    /// `TinyIntOneToBooleanConverter`: which columns, all for none; whether only those of one digit.
    TinyInt(Option<Patterns>, bool),
    /// `JdbcSinkDataTypesConverter`: as a sink that asks a JDBC driver would have them.
    Sink {
        booleans: Option<Patterns>,
        reals: Option<Patterns>,
        texts: Option<Patterns>,
        doubles: bool,
    },
}

/// What the classes' names begin with.
const PACKAGES: [&str; 3] = ["binlog", "mysql", "mariadb"];

impl Converters {
    /// As configured; what does not compile or is not known is added to `findings`.
    pub(crate) fn new(given: &Properties, findings: &mut Vec<Finding>) -> Self {
        let names = given.get("converters").map_or("", String::as_str);
        let names = List::parse_value(names).unwrap_or_default();
        let converters = names
            .0
            .iter()
            .filter_map(|name| converter(name, given, findings));
        Self(converters.collect())
    }

    /// What becomes of a column that some converter wants.
    pub(crate) fn shape(&self, table: &TableInfo, column: &ColumnInfo) -> Option<Shape> {
        let name = format!("{}.{}", table.full_name(), column.name);
        self.0
            .iter()
            .find_map(|converter| converter.shape(&name, column))
    }
}

fn converter(name: &str, given: &Properties, findings: &mut Vec<Finding>) -> Option<Converter> {
    let key = format!("{name}.type");
    let class = given.get(&key).map_or("", String::as_str);
    let short = PACKAGES.iter().find_map(|package| {
        class.strip_prefix(&format!("io.debezium.connector.{package}.converters."))
    });
    let is = |key: &str, usual: bool| {
        let value = given.get(&format!("{name}.{key}"));
        value.map_or(usual, |value| value.trim().eq_ignore_ascii_case("true"))
    };
    let mut selector = |key: &str| {
        let key = format!("{name}.{key}");
        let list = List::parse_value(given.get(&key)?).ok()?;
        Patterns::compile(&key, &list, findings).filter(|patterns| !patterns.is_empty())
    };
    match short {
        Some("TinyIntOneToBooleanConverter") => Some(Converter::TinyInt(
            selector("selector"),
            is("length.checker", true),
        )),
        Some("JdbcSinkDataTypesConverter") => Some(Converter::Sink {
            booleans: selector("selector.boolean"),
            reals: selector("selector.real"),
            texts: selector("selector.string"),
            doubles: is("treat.real.as.double", true),
        }),
        _ => {
            let why = "Only Debezium's TinyIntOneToBooleanConverter and JdbcSinkDataTypesConverter are known: no Java runs here";
            findings.push(Finding::invalid(&key, class, why));
            None
        }
    }
}

impl Converter {
    fn shape(&self, name: &str, column: &ColumnInfo) -> Option<Shape> {
        let wants = |patterns: &Option<Patterns>| {
            patterns
                .as_ref()
                .is_some_and(|patterns| patterns.matches(name))
        };
        let (ty, op) = match self {
            Self::TinyInt(selector, checks_length) => {
                let declared = &column.declared;
                let fits = !checks_length || declared.length == Some(1);
                let is_wanted = selector.is_none() || wants(selector);
                if declared.name != "tinyint" || !fits || !is_wanted {
                    return None;
                }
                (Type::Bool, Op::Truth)
            }
            Self::Sink { booleans, .. } if wants(booleans) => (Type::Int16, Op::TruthNumber),
            Self::Sink { reals, doubles, .. } if wants(reals) => match doubles {
                true => (Type::Float64, Op::Float),
                false => (Type::Float32, Op::Float),
            },
            Self::Sink { texts, .. } if wants(texts) => {
                let charset = column.charset_name.clone().unwrap_or_default();
                let schema = Schema::of(Type::String);
                let schema = schema.parameter("__debezium.source.column.character_set", charset);
                let op = Op::Text(column.charset?);
                return Some(Shape { schema, op });
            }
            Self::Sink { .. } => return None,
        };
        let schema = Schema::of(ty);
        Some(Shape { schema, op })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::Declared;

    fn given(lines: &[(&str, &str)]) -> Properties {
        let lines = lines.iter();
        lines
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn numbers_of_one_digit_are_booleans_and_others_are_not() {
        let class = "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter";
        let given = given(&[
            ("converters", "b"),
            ("b.type", class),
            ("b.selector", "d.t.flag.*"),
        ]);
        let mut findings = Vec::new();
        let converters = Converters::new(&given, &mut findings);
        assert!(findings.is_empty());
        let table = TableInfo::new("d", "t");
        let is_boolean = |name: &str, ty: &str| {
            let column = ColumnInfo::new(name.to_owned(), Declared::parse(ty));
            let shape = converters.shape(&table, &column);
            shape.is_some_and(|shape| shape.schema.ty == Type::Bool)
        };
        assert!(is_boolean("flag", "tinyint(1)") && is_boolean("flags", "tinyint(1) unsigned"));
        assert!(!is_boolean("flag", "tinyint(4)") && !is_boolean("other", "tinyint(1)"));
    }

    #[test]
    fn classes_that_are_not_known_are_findings() {
        let given = given(&[("converters", "a, b"), ("a.type", "com.example.Isbn")]);
        let mut findings = Vec::new();
        Converters::new(&given, &mut findings);
        let keys: Vec<&str> = findings
            .iter()
            .map(|finding| finding.key.as_str())
            .collect();
        assert_eq!(keys, ["a.type", "b.type"]);
    }
}
