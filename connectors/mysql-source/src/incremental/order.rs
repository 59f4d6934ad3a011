//! In which order a table is read, and conditions in that order.
//!
//! The server compares, as its index does: with literals in the character set of the column, so that its collation decides;
//! with numbers where it orders by numbers.

use std::fmt::Write;

use cdc::{captured::Captured, java::Part};

use crate::{
    catalog::{ColumnInfo, TableInfo, literal, quoted},
    wire::RowValues,
};

/// The columns in whose order a table is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The columns, and their places in the row.
    columns: Vec<(u16, ColumnInfo)>,
    /// Whether no two rows are equal in them.
    pub(super) is_unique: bool,
}

impl Order {
    /// By a surrogate key, the configured key, or the table's own; `None` when there is none. The error names a column
    /// that does not exist.
    pub(super) fn of(
        info: &TableInfo,
        captured: &Captured,
        surrogate: Option<&str>,
    ) -> Result<Option<Self>, String> {
        let configured = captured.key(&info.database, &info.name);
        let names: Vec<&str> = match (surrogate, configured) {
            (Some(name), _) => vec![name],
            (None, Some(names)) => names.iter().map(String::as_str).collect(),
            (None, None) => info.key.iter().map(String::as_str).collect(),
        };
        let mut columns = Vec::new();
        for name in names {
            let same = |column: &&ColumnInfo| column.name.eq_ignore_ascii_case(name);
            let found = (0u16..).zip(&info.columns).find(|(_, c)| same(c));
            let (place, column) = found.ok_or_else(|| name.to_owned())?;
            columns.push((place, column.clone()));
        }
        let is_own = surrogate.is_none() && configured.is_none();
        let is_unique = is_own && columns.iter().all(|(_, column)| column.required);
        Ok((!columns.is_empty()).then_some(Self { columns, is_unique }))
    }

    /// Whether a column is one of them.
    pub(super) fn has(&self, place: u16) -> bool {
        self.columns.iter().any(|(of, _)| *of == place)
    }

    /// The key of a row of the text protocol.
    pub(super) fn key(&self, row: &[u8]) -> Vec<Part> {
        let of = |(place, column): &(u16, ColumnInfo)| {
            let bytes = value(row, *place);
            bytes.map_or(Part::Null, |bytes| part(column, bytes))
        };
        self.columns.iter().map(of).collect()
    }

    /// What follows `ORDER BY`.
    pub(super) fn list(&self, direction: &str) -> String {
        let name = |(_, c): &(u16, ColumnInfo)| format!("{}{direction}", quoted(&c.name));
        self.columns.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// The rows behind a key. Nulls come first.
    pub(super) fn after(&self, key: &[Part]) -> String {
        self.beyond(key, false, |name, value| match value {
            Some(value) => Some(format!("{name} > {value}")),
            None => Some(format!("{name} IS NOT NULL")),
        })
    }

    /// The rows up to a key, with it.
    pub(super) fn upto(&self, key: &[Part]) -> String {
        self.beyond(key, true, |name, value| {
            value.map(|value| format!("({name} < {value} OR {name} IS NULL)"))
        })
    }

    /// The rows that are equal in some columns and beyond in the next; with `and_equal` those that are equal in all, too.
    fn beyond(
        &self,
        key: &[Part],
        and_equal: bool,
        beyond: impl Fn(&str, Option<&str>) -> Option<String>,
    ) -> String {
        let mut cases = Vec::new();
        let mut equal: Vec<String> = Vec::new();
        for ((_, column), part) in self.columns.iter().zip(key) {
            let (name, value) = (expression(column), sql(column, part));
            if let Some(beyond) = beyond(&name, value.as_deref()) {
                let mut case = equal.clone();
                case.push(beyond);
                cases.push(format!("({})", case.join(" AND ")));
            }
            equal.push(match value {
                Some(value) => format!("{name} = {value}"),
                None => format!("{name} IS NULL"),
            });
        }
        if and_equal {
            cases.push(format!("({})", equal.join(" AND ")));
        }
        match cases.is_empty() {
            true => "FALSE".to_owned(),
            false => format!("({})", cases.join(" OR ")),
        }
    }
}

/// A value of a row of the text protocol; none for null.
fn value(row: &[u8], place: u16) -> Option<&[u8]> {
    let mut values = RowValues::new(row);
    for _ in 0..place {
        values.value().ok()?;
    }
    values.value().ok()?
}

/// What is compared of a column: members of an `ENUM` or `SET` are ordered by their numbers.
fn expression(column: &ColumnInfo) -> String {
    let name = quoted(&column.name);
    match column.declared.name.as_str() {
        "enum" | "set" => format!("({name} + 0)"),
        _ => name,
    }
}

/// In Debezium's offsets a key has Java's types, as its driver reads them.
fn part(column: &ColumnInfo, bytes: &[u8]) -> Part {
    let text = String::from_utf8_lossy(bytes);
    let part = match column.declared.name.as_str() {
        "tinyint" | "smallint" | "mediumint" => text.parse().map(Part::Int).ok(),
        "int" | "integer" if !column.declared.unsigned => text.parse().map(Part::Int).ok(),
        "int" | "integer" | "bigint" => {
            let long = text.parse().map(Part::Long);
            long.ok().or_else(|| Some(Part::Decimal(text.to_string())))
        }
        "decimal" | "numeric" => Some(Part::Decimal(text.to_string())),
        "float" => text.parse().map(f32::to_bits).map(Part::Float).ok(),
        "double" | "real" => text.parse().map(f64::to_bits).map(Part::Double).ok(),
        "date" => Part::date(&text),
        "bit" if column.declared.length == Some(1) => Some(Part::Bool(bytes != [0])),
        "bit" => Some(Part::Bytes(bytes.to_vec())),
        _ if is_bytes(column) => Some(Part::Bytes(bytes.to_vec())),
        _ => None,
    };
    part.unwrap_or_else(|| Part::Text(text.into_owned()))
}

fn is_bytes(column: &ColumnInfo) -> bool {
    let name = column.declared.name.as_str();
    matches!(name, "binary" | "varbinary") || name.ends_with("blob")
}

/// A part of a key as SQL; `None` for null.
fn sql(column: &ColumnInfo, part: &Part) -> Option<String> {
    let name = column.declared.name.as_str();
    Some(match part {
        Part::Null => return None,
        Part::Bool(is) => u8::from(*is).to_string(),
        Part::Float(bits) => format!("{:e}", f64::from(f32::from_bits(*bits))),
        Part::Double(bits) => format!("{:e}", f64::from_bits(*bits)),
        Part::Bytes(bytes) if name == "bit" => {
            let digits = bytes
                .iter()
                .fold(0u64, |all, byte| all << 8 | u64::from(*byte));
            digits.to_string()
        }
        Part::Bytes(bytes) => format!("X'{}'", hex(bytes)),
        Part::Text(text) if name == "enum" || name == "set" => number(column, text).to_string(),
        Part::Text(text) if is_text(name) => format!("_utf8mb4 X'{}'", hex(text.as_bytes())),
        other => match other.text()? {
            number if is_number(name) && number.bytes().all(is_of_number) => number,
            text => literal(&text),
        },
    })
}

/// Of these a text would be compared as a float.
fn is_number(name: &str) -> bool {
    name.ends_with("int") || matches!(name, "integer" | "decimal" | "numeric")
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

fn is_text(name: &str) -> bool {
    matches!(name, "char" | "varchar") || name.ends_with("text")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The number by which the server orders a member of an `ENUM`, or several of a `SET`.
fn number(column: &ColumnInfo, text: &str) -> u64 {
    let members = &column.declared.members;
    let place = |label: &str| members.iter().position(|member| member == label);
    if column.declared.name == "enum" {
        return place(text).map_or(0, |at| at as u64 + 1);
    }
    let bits = text.split(',').filter_map(place);
    bits.fold(0, |all, at| all | 1u64.checked_shl(at as u32).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::Declared;

    fn column(name: &str, declared: &str, required: bool) -> ColumnInfo {
        ColumnInfo {
            name: name.to_owned(),
            declared: Declared::parse(declared),
            charset: None,
            required,
            default: None,
            expression: None,
            written: None,
            charset_name: None,
            counts: false,
            touched: false,
            comment: None,
        }
    }

    fn order(columns: Vec<ColumnInfo>) -> Order {
        Order {
            columns: (0u16..).zip(columns).collect(),
            is_unique: true,
        }
    }

    #[test]
    fn keys_are_compared_column_by_column_and_nulls_come_first() {
        let of = order(vec![
            column("a", "int", true),
            column("b", "varchar(9)", false),
        ]);
        let key = [Part::Int(7), Part::Text("x'".into())];
        assert_eq!(
            of.after(&key),
            "((`a` > 7) OR (`a` = 7 AND `b` > _utf8mb4 X'7827'))"
        );
        assert_eq!(
            of.upto(&[Part::Int(7), Part::Null]),
            "(((`a` < 7 OR `a` IS NULL)) OR (`a` = 7 AND `b` IS NULL))"
        );
        assert_eq!(
            of.after(&[Part::Null, Part::Null]),
            "((`a` IS NOT NULL) OR (`a` IS NULL AND `b` IS NOT NULL))"
        );
    }

    #[test]
    fn members_are_numbers_and_bytes_are_hex() {
        let members = column("e", "enum('z','a')", true);
        assert_eq!(sql(&members, &Part::Text("a".into())).unwrap(), "2");
        assert_eq!(sql(&members, &Part::Text(String::new())).unwrap(), "0");
        let set = column("s", "set('x','y','z')", true);
        assert_eq!(sql(&set, &Part::Text("x,z".into())).unwrap(), "5");
        let bits = column("b", "bit(16)", true);
        assert_eq!(sql(&bits, &Part::Bytes(vec![1, 2])).unwrap(), "258");
        let bytes = column("b", "varbinary(9)", true);
        assert_eq!(sql(&bytes, &part(&bytes, b"\0\xff")).unwrap(), "X'00ff'");
        let float = column("f", "float", true);
        assert_eq!(
            sql(&float, &part(&float, b"1.100000023841858")).unwrap(),
            "1.100000023841858e0"
        );
    }

    #[test]
    fn keys_come_out_of_rows() {
        let of = order(vec![
            column("a", "bigint unsigned", true),
            column("b", "date", true),
        ]);
        let row = b"\x1418446744073709551615\x0a2026-11-30";
        let key = of.key(row);
        assert_eq!(key[0], Part::Decimal("18446744073709551615".into()));
        assert_eq!(key[1].text().unwrap(), "2026-11-30");
        assert_eq!(of.key(b""), [Part::Null, Part::Null]);
    }
}
