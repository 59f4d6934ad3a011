//! What a default's SQL means to Debezium, which reads it with two regular expressions: so do we, since a default is part of a
//! schema, and other schemas are new versions in a registry. Its mistakes are kept: `'it''s'` is `it`, `'a' || 'b'` is `a`.

use crate::types::{Custom, Customs, oid};

/// What a default's SQL means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// The text of a value.
    Literal(String),
    /// It is computed anew for each row, as with `now()` or `nextval(…)`.
    Computed,
    /// Null, or nothing that can be told.
    None,
}

/// The types whose defaults are read, besides enums.
const READ: [u32; 21] = [
    oid::BIT,
    oid::VARBIT,
    oid::BOOL,
    oid::BPCHAR,
    oid::VARCHAR,
    oid::TEXT,
    oid::NUMERIC,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::INT2,
    oid::INT4,
    oid::INT8,
    oid::JSON,
    oid::JSONB,
    oid::XML,
    oid::UUID,
    oid::DATE,
    oid::TIME,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::INTERVAL,
];

/// Computed without parentheses.
const CLOCK: [&str; 5] = [
    "current_timestamp",
    "current_time",
    "current_date",
    "localtime",
    "localtimestamp",
];

impl Default {
    /// Of the text that `pg_get_expr` gives.
    pub(crate) fn of(sql: &str) -> Self {
        let sql = sql.trim();
        if is_call(sql) || CLOCK.contains(&sql.to_ascii_lowercase().as_str()) {
            return Self::Computed;
        }
        if sql.starts_with("NULL::") {
            return Self::None;
        }
        let Some((_, rest)) = sql.split_once('\'') else {
            return Self::Literal(match sql {
                "true" => "t".to_owned(),
                "false" => "f".to_owned(),
                raw => raw.to_owned(),
            });
        };
        match rest.split_once('\'') {
            Some(("infinity" | "-infinity", _)) => Self::None,
            Some((text, _)) if !text.contains('\n') => Self::Literal(text.to_owned()),
            _ => Self::None,
        }
    }
}

/// `name(…)`, perhaps behind a parenthesis.
fn is_call(sql: &str) -> bool {
    let sql = sql.strip_prefix('(').unwrap_or(sql);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let rest = sql.trim_start_matches(is_name);
    let line = rest.lines().next().unwrap_or("");
    rest.len() < sql.len() && line.starts_with('(') && line.contains(')')
}

/// Whether Debezium reads the defaults of columns of a type.
pub(crate) fn are_read(type_oid: u32, customs: &Customs) -> bool {
    match customs.get(&type_oid) {
        Some(custom) => matches!(custom, Custom::Enum(_)),
        None => READ.contains(&type_oid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_calls_and_nothing() {
        let literal = |text: &str| Default::Literal(text.to_owned());
        for (sql, means) in [
            ("5", literal("5")),
            ("'-5'::integer", literal("-5")),
            ("'it''s'::text", literal("it")),
            ("('a'::text || 'b'::text)", literal("a")),
            ("true", literal("t")),
            ("'infinity'::timestamp", Default::None),
            ("CURRENT_USER", literal("CURRENT_USER")),
            ("''::text", literal("")),
            ("NULL::character varying", Default::None),
            ("'two\nlines'::text", Default::None),
            ("now()", Default::Computed),
            ("nextval('s'::regclass)", Default::Computed),
            ("(now() + '1 day'::interval)", Default::Computed),
            ("CURRENT_DATE", Default::Computed),
            ("(1 + 1)", literal("(1 + 1)")),
        ] {
            assert_eq!(Default::of(sql), means, "{sql}");
        }
    }
}
