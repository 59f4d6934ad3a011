//! A table of MySQL or MariaDB, read as one JSON array per row.

use stack::DATABASE;

use super::shape;
use crate::demo::{
    Result,
    truth::{Column, Row, Truth, unescaped},
};

/// Name, type, and whether it is of the primary key, in order.
const COLUMNS: &str = "SELECT column_name, column_type, column_key = 'PRI' FROM information_schema.columns \
    WHERE table_schema = '{schema}' AND table_name = '{table}' ORDER BY ordinal_position";

/// Reads a table. Its primary key has its columns in the order of the table.
pub(super) fn read(sql: impl Fn(&str) -> Result<String>, table: &str) -> Result<Truth> {
    let mut columns = Vec::new();
    let mut expressions = Vec::new();
    let mut key = Vec::new();
    let asked = COLUMNS
        .replace("{schema}", DATABASE)
        .replace("{table}", table);
    for line in sql(&asked)?.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [name, declared, in_key] = words[..] else {
            return Err(format!("a column without type: {line}").into());
        };
        let unknown =
            || format!("{table}.{name}: nothing says how {declared} is expected in a sink");
        let (expression, form) = shape::of(declared).ok_or_else(unknown)?;
        let quoted = format!("`{name}`");
        let text = expression.replace("{}", &quoted);
        // MariaDB would take a JSON text for an element that is JSON, if it were not cast.
        expressions.push(format!("CAST({text} AS CHAR)"));
        if in_key == "1" {
            key.push(quoted);
        }
        columns.push(Column {
            name: name.to_owned(),
            form,
        });
    }
    let lines = sql(&format!(
        "SET time_zone = '+00:00';\nSELECT JSON_ARRAY(CONCAT_WS(':', {}), {}) FROM {table}",
        key.join(", "),
        expressions.join(", ")
    ))?;
    Ok(Truth {
        table: table.to_owned(),
        columns,
        lines,
        row,
    })
}

/// A row as the client prints it: JSON whose backslashes are doubled.
fn row(line: &str) -> Row {
    let json = unescaped(line).unwrap_or_default();
    let values: Vec<Option<String>> = serde_json::from_str(&json).unwrap_or_default();
    let mut values = values.into_iter();
    Row {
        key: values.next().flatten().unwrap_or_default(),
        values: values.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_client_prints() {
        let read = row(r#"["12:3", "a\\tb\\\\n\\n", null, ""]"#);
        assert_eq!(read.key, "12:3");
        let expected = [Some("a\tb\\n\n".to_owned()), None, Some(String::new())];
        assert_eq!(read.values, expected);
    }
}
