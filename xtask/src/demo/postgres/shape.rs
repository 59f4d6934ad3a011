//! How each type of PostgreSQL is expected in a sink: the one place that says it.
//!
//! PostgreSQL itself computes the expected text, so that no conversion of ours vouches for itself. Underneath are Debezium's
//! semantic types with their default modes, and what the sinks make of them by default: ISO 8601 text for dates and times,
//! decimals as text with every digit, bytes in base64.

use crate::demo::truth::Form;

/// What a column of a type becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The expression of the expected text, with `{}` for the column.
    sql: String,
    /// How to compare it.
    pub(super) form: Form,
}

impl Shape {
    /// What a type becomes, by its name (`format_type`, and `enum` for every enum); `None` for one that is not known here.
    pub(super) fn of(type_name: &str) -> Option<Self> {
        let (name, modifier) = modified(type_name);
        if let Some(item) = type_name.strip_suffix("[]") {
            return Self::array(modified(item).0);
        }
        let (sql, form) = match name {
            "smallint" | "integer" | "bigint" => ("{}", Form::Integer),
            "real" => ("{}", Form::Single),
            "double precision" => ("{}", Form::Double),
            "boolean" => ("{}::text", Form::Bool),
            "numeric" if modifier.is_some() => ("{}", Form::Text),
            // VariableScaleDecimal has no trailing zeros.
            "numeric" => ("trim_scale({})", Form::Text),
            "money" => ("{}::numeric", Form::Text),
            "text" | "character varying" | "character" | "uuid" | "json" | "jsonb" | "inet"
            | "enum" => ("{}", Form::Text),
            "bytea" => (r"translate(encode({}, 'base64'), E'\n', '')", Form::Text),
            "date" => ("to_char({}, 'YYYY-MM-DD')", Form::Text),
            "time without time zone" => (time(modifier), Form::Text),
            "timestamp without time zone" => (timestamp(modifier), Form::Text),
            "timestamp with time zone" => (zoned(modifier), Form::Text),
            "time with time zone" => (
                r#"to_char(({} AT TIME ZONE 'UTC')::time, 'HH24:MI:SS"Z"')"#,
                Form::Text,
            ),
            // MicroDuration: a month has 365.25 / 12 days.
            "interval" => (
                "(extract(year FROM {}) * 12 + extract(month FROM {})) * 2629800000000 + extract(day FROM {}) * 86400000000 \
                 + extract(hour FROM {}) * 3600000000 + extract(minute FROM {}) * 60000000 + extract(microseconds FROM {})",
                Form::Integer,
            ),
            _ => return None,
        };
        let sql = match form {
            Form::Integer if name == "interval" => format!("({sql})::bigint"),
            _ => sql.to_owned(),
        };
        Some(Self { sql, form })
    }

    fn array(item: &str) -> Option<Self> {
        let sql = match item {
            "smallint" | "integer" | "bigint" | "text" | "character varying" => "to_json({})",
            "numeric" | "uuid" => "to_json({}::text[])",
            _ => return None,
        };
        Some(Self {
            sql: sql.to_owned(),
            form: Form::Items,
        })
    }

    /// The expression for a column.
    pub(super) fn sql(&self, column: &str) -> String {
        let quoted = format!("\"{}\"", column.replace('"', "\"\""));
        self.sql.replace("{}", &quoted)
    }
}

/// `numeric(10,2)` as `numeric` and `10,2`; `timestamp(3) with time zone` likewise.
fn modified(type_name: &str) -> (&str, Option<&str>) {
    let Some((name, rest)) = type_name.split_once('(') else {
        return (type_name, None);
    };
    let (modifier, after) = rest.split_once(')').unwrap_or((rest, ""));
    let whole = match (name, after) {
        ("time", " without time zone") => "time without time zone",
        ("time", " with time zone") => "time with time zone",
        ("timestamp", " without time zone") => "timestamp without time zone",
        ("timestamp", " with time zone") => "timestamp with time zone",
        _ => name,
    };
    (whole, Some(modifier))
}

/// Milliseconds up to three digits (`Time`), else microseconds (`MicroTime`).
fn time(modifier: Option<&str>) -> &'static str {
    match modifier {
        Some("0" | "1" | "2" | "3") => "to_char({}, 'HH24:MI:SS.MS')",
        _ => "to_char({}, 'HH24:MI:SS.US')",
    }
}

/// Milliseconds up to three digits (`Timestamp`), else microseconds (`MicroTimestamp`).
fn timestamp(modifier: Option<&str>) -> &'static str {
    match modifier {
        Some("0" | "1" | "2" | "3") => r#"to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS.MS')"#,
        _ => r#"to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"#,
    }
}

/// As many digits as the column has (`ZonedTimestamp`).
fn zoned(modifier: Option<&str>) -> &'static str {
    match modifier {
        Some("0") => r#"to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#,
        Some("3") => r#"to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"#,
        _ => r#"to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_with_their_modifiers() {
        let sql = |name: &str| Shape::of(name).unwrap().sql("a");
        assert_eq!(sql("numeric(10,2)"), "\"a\"");
        assert_eq!(sql("numeric"), "trim_scale(\"a\")");
        assert_eq!(sql("character varying(20)"), "\"a\"");
        assert!(sql("timestamp(3) without time zone").contains(".MS"));
        assert!(sql("timestamp without time zone").contains(".US"));
        assert!(sql("timestamp(3) with time zone").contains(".MS\"Z\""));
        assert_eq!(sql("numeric(8,3)[]"), "to_json(\"a\"::text[])");
        assert_eq!(Shape::of("integer[]").unwrap().form, Form::Items);
        assert_eq!(Shape::of("tsvector"), None);
    }
}
