//! A table of PostgreSQL, read with `COPY`.

use stack::Postgres;

use super::shape::Shape;
use crate::demo::{
    Result,
    truth::{Column, Row, Truth, unescaped},
};

/// Column, type, and place in the primary key.
const COLUMNS: &str = "SELECT a.attname, CASE t.typtype WHEN 'e' THEN 'enum' ELSE format_type(a.atttypid, a.atttypmod) END, \
    array_position(i.indkey::int2[], a.attnum) \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
    WHERE a.attrelid = 'public.{}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Reads a table of the schema `public`.
pub(super) fn read(postgres: &Postgres, table: &str) -> Result<Truth> {
    let mut columns = Vec::new();
    let mut expressions = Vec::new();
    let mut key = Vec::new();
    for line in postgres.psql_as_cdc(&COLUMNS.replace("{}", table))?.lines() {
        let mut words = line.split('|');
        let (Some(name), Some(ty), Some(place)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("a column without type: {line}").into());
        };
        let unknown = || format!("{table}.{name}: nothing says how {ty} is expected in a sink");
        let shape = Shape::of(ty).ok_or_else(unknown)?;
        expressions.push(shape.sql(name));
        if !place.is_empty() {
            key.push((place.to_owned(), format!("\"{name}\"")));
        }
        columns.push(Column {
            name: name.to_owned(),
            form: shape.form,
        });
    }
    key.sort();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    let copy = format!(
        "COPY (SELECT concat_ws(':', {}), {} FROM public.{table}) TO STDOUT",
        key.join(", "),
        expressions.join(", ")
    );
    // What a session shows depends on these.
    let settings = "SET extra_float_digits = 1; SET bytea_output = hex; SET TimeZone = 'UTC';";
    Ok(Truth {
        table: table.to_owned(),
        columns,
        lines: postgres.psql_as_cdc(&format!("{settings}\n{copy}"))?,
        row,
    })
}

/// A line of `COPY`'s text format.
pub(in crate::demo) fn row(line: &str) -> Row {
    let mut values = line.split('\t').map(unescaped);
    Row {
        key: values.next().flatten().unwrap_or_default(),
        values: values.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_copy_writes() {
        let read = row("12:3\ta\\tb\\\\n\\n\t\\N\t");
        assert_eq!(read.key, "12:3");
        let expected = [Some("a\tb\\n\n".to_owned()), None, Some(String::new())];
        assert_eq!(read.values, expected);
    }
}
