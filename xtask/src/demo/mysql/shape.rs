//! How each type of MySQL and MariaDB is expected in a sink: the one place that says it.
//!
//! The server itself computes the expected text, so that no conversion of ours vouches for itself. Underneath are Debezium's
//! semantic types with their default modes, and what the sinks make of them by default.

use crate::demo::truth::Form;

/// The expression of the expected text of a column, with `{}` for its name, and how to compare it. `declared` is the
/// `column_type` of the catalog; `None` for a type that is not known here.
pub(super) fn of(declared: &str) -> Option<(&'static str, Form)> {
    let kind = declared.split(['(', ' ']).next().unwrap_or(declared);
    let arguments = declared
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    let digits = arguments.map_or("0", |(arguments, _)| arguments);
    Some(match kind {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => ("{}", Form::Integer),
        // Six digits are shown of a float, its value as a double is exact.
        "float" => ("{} + 0e0", Form::Single),
        "double" => ("{}", Form::Double),
        "bit" if digits == "1" => (
            "CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
            Form::Bool,
        ),
        // MySQL's binlog has a document as a tree, and a snapshot as text; MariaDB's JSON is a longtext.
        "json" => ("{}", Form::Json),
        "decimal" | "char" | "varchar" | "text" | "mediumtext" | "longtext" | "enum" | "set" => {
            ("{}", Form::Text)
        }
        "binary" | "varbinary" | "blob" | "mediumblob" | "longblob" => {
            (r"REPLACE(TO_BASE64({}), '\n', '')", Form::Text)
        }
        "date" => ("DATE_FORMAT({}, '%Y-%m-%d')", Form::Text),
        "time" => ("TIME_FORMAT({}, '%H:%i:%s.%f')", Form::Text),
        // Milliseconds up to three digits, else microseconds.
        "datetime" => match digits {
            "0" | "1" | "2" | "3" => (
                "LEFT(DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%s.%f'), 23)",
                Form::Text,
            ),
            _ => ("DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%s.%f')", Form::Text),
        },
        // As many digits as the column has.
        "timestamp" => match digits {
            "0" => ("DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%sZ')", Form::Text),
            "3" => (
                "CONCAT(LEFT(DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')",
                Form::Text,
            ),
            "6" => ("DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%s.%fZ')", Form::Text),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_with_their_digits() {
        let sql = |declared: &str| of(declared).unwrap().0;
        assert_eq!(of("int(10) unsigned").unwrap().1, Form::Integer);
        assert_eq!(of("json").unwrap().1, Form::Json);
        assert!(sql("datetime(3)").starts_with("LEFT"));
        assert!(sql("datetime(6)").starts_with("DATE"));
        assert!(sql("timestamp").ends_with("%sZ')"));
        assert_eq!(of("bit(1)").unwrap().1, Form::Bool);
        assert_eq!(of("point"), None);
    }
}
