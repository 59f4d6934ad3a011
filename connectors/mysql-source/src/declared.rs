//! A column's type as it was declared: `COLUMN_TYPE` of `information_schema.columns`
//! (<https://dev.mysql.com/doc/refman/9.4/en/information-schema-columns-table.html>,
//! <https://mariadb.com/kb/en/information-schema-columns-table/>).

use serde::{Deserialize, Serialize};

use crate::{
    catalog::is_false,
    layout::{Holds, Layout},
};

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Its name in lower case: `int`, `varchar`, `geometrycollection`.
    pub name: String,
    /// The first number in parentheses: a length, a precision, digits behind the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// The second: digits behind the point of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// Whether it has no sign.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsigned: bool,
    /// Whether it is shown with zeros before it, which makes it unsigned.
    #[serde(default, skip_serializing_if = "is_false")]
    pub zerofill: bool,
    /// The members of an `ENUM` or `SET`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

impl Declared {
    /// Reads what the server says; a text that makes no sense is a type of that name.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let (inside, behind) = parenthesised(rest);
        let members = members(inside);
        let mut numbers = inside.split(',').map(|number| number.trim().parse().ok());
        let mut number = || {
            if members.is_empty() {
                numbers.next().flatten()
            } else {
                None
            }
        };
        let (length, scale) = (number(), number());
        let mut words = behind.split_ascii_whitespace().map(str::to_ascii_lowercase);
        let unsigned = behind.to_ascii_lowercase().contains("unsigned");
        let zerofill = words.any(|word| word == "zerofill");
        Self {
            name: name.to_ascii_lowercase(),
            length,
            scale,
            unsigned: unsigned || zerofill,
            zerofill,
            members,
        }
    }

    /// What a layout alone tells of a type, for a column of which nothing else is known.
    pub fn of(layout: Layout, is_text: bool, members: Vec<String>) -> Self {
        let (name, length, scale) = named(layout, is_text);
        Self {
            name: name.to_owned(),
            length,
            scale,
            unsigned: matches!(layout, Layout::Int { unsigned: true, .. }),
            zerofill: false,
            members,
        }
    }

    /// Whether rows of this layout may be those of this type: what the server logs must be what the schema says.
    pub fn fits(&self, layout: Layout) -> bool {
        let is = |names: &[&str]| names.contains(&self.name.as_str());
        match layout {
            Layout::Int { bytes, .. } => match bytes {
                1 => is(&["tinyint", "bool", "boolean"]),
                2 => is(&["smallint"]),
                3 => is(&["mediumint"]),
                4 => is(&["int", "integer"]),
                _ => is(&["bigint"]),
            },
            Layout::Float => is(&["float"]),
            Layout::Double => is(&["double", "real", "float"]),
            Layout::Decimal { precision, scale } => {
                let of = (self.length.unwrap_or(10), self.scale.unwrap_or(0));
                is(&["decimal", "numeric"]) && of == (u32::from(precision), u32::from(scale))
            }
            Layout::Bit { bits } => is(&["bit"]) && self.length.unwrap_or(1) == u32::from(bits),
            Layout::Year => is(&["year"]),
            Layout::Date => is(&["date"]),
            Layout::Time { digits } => is(&["time"]) && self.has_digits(digits),
            Layout::DateTime { digits } => is(&["datetime"]) && self.has_digits(digits),
            Layout::Timestamp { digits } => is(&["timestamp"]) && self.has_digits(digits),
            Layout::OldTime => is(&["time"]),
            Layout::OldDateTime => is(&["datetime"]),
            Layout::OldTimestamp => is(&["timestamp"]),
            Layout::Enum { .. } => is(&["enum"]),
            Layout::Set { .. } => is(&["set"]),
            Layout::Bytes { holds, .. } => self.fits_bytes(holds),
        }
    }

    fn has_digits(&self, digits: u8) -> bool {
        self.length.unwrap_or(0) == u32::from(digits)
    }

    fn fits_bytes(&self, holds: Holds) -> bool {
        let name = self.name.as_str();
        let is_large = name.ends_with("text") || name.ends_with("blob");
        match holds {
            // MariaDB keeps addresses and UUIDs as it keeps bytes.
            Holds::Fixed => matches!(name, "char" | "binary" | "uuid" | "inet4" | "inet6"),
            // And vectors.
            Holds::Variable => matches!(name, "varchar" | "varbinary" | "vector"),
            // MariaDB's JSON is a text.
            Holds::Large => is_large || name == "json",
            Holds::Json => name == "json",
            Holds::Vector => name == "vector",
            Holds::Compressed => is_large || matches!(name, "varchar" | "varbinary"),
            Holds::Geometry => is_geometry(name),
        }
    }
}

/// Whether a type is one of shapes.
pub(crate) fn is_geometry(name: &str) -> bool {
    matches!(
        name,
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geometrycollection"
            | "geomcollection"
    )
}

fn named(layout: Layout, is_text: bool) -> (&'static str, Option<u32>, Option<u32>) {
    let digits = |digits: u8| (digits > 0).then_some(u32::from(digits));
    let name = match layout {
        Layout::Int { bytes: 1, .. } => "tinyint",
        Layout::Int { bytes: 2, .. } => "smallint",
        Layout::Int { bytes: 3, .. } => "mediumint",
        Layout::Int { bytes: 4, .. } => "int",
        Layout::Int { .. } => "bigint",
        Layout::Float => "float",
        Layout::Double => "double",
        Layout::Decimal { precision, scale } => {
            return (
                "decimal",
                Some(u32::from(precision)),
                Some(u32::from(scale)),
            );
        }
        Layout::Bit { bits } => return ("bit", Some(u32::from(bits)), None),
        Layout::Year => "year",
        Layout::Date => "date",
        Layout::Time { digits: of } => return ("time", digits(of), None),
        Layout::DateTime { digits: of } => return ("datetime", digits(of), None),
        Layout::Timestamp { digits: of } => return ("timestamp", digits(of), None),
        Layout::OldTime => "time",
        Layout::OldDateTime => "datetime",
        Layout::OldTimestamp => "timestamp",
        Layout::Enum { .. } => "enum",
        Layout::Set { .. } => "set",
        Layout::Bytes { holds, .. } => match (holds, is_text) {
            (Holds::Json, _) => "json",
            (Holds::Geometry, _) => "geometry",
            (Holds::Vector, _) => "vector",
            (Holds::Fixed, true) => "char",
            (Holds::Fixed, false) => "binary",
            (Holds::Variable, true) => "varchar",
            (Holds::Variable, false) => "varbinary",
            (Holds::Large | Holds::Compressed, true) => "longtext",
            (Holds::Large | Holds::Compressed, false) => "longblob",
        },
    };
    (name, None, None)
}

/// What stands in the parentheses at the beginning, and what behind them. Parentheses in quotes do not count.
fn parenthesised(text: &str) -> (&str, &str) {
    let Some(inside) = text.trim_start().strip_prefix('(') else {
        return ("", text);
    };
    let mut quoted = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b')' if !quoted => {
                let (inside, behind) = inside.split_at(at);
                return (inside, behind.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (inside, "")
}

/// `'a','b''c'`: texts in quotes, which stand twice for one.
fn members(list: &str) -> Vec<String> {
    let mut members = Vec::new();
    let mut chars = list.chars().peekable();
    while chars.by_ref().any(|c| c == '\'') {
        let mut member = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.next_if_eq(&'\'').is_some() => member.push('\''),
                '\'' => break,
                other => member.push(other),
            }
        }
        members.push(member);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<u32>, Option<u32>, bool) {
        let declared = Declared::parse(text);
        (
            declared.name,
            declared.length,
            declared.scale,
            declared.unsigned,
        )
    }

    #[test]
    fn types_are_read_as_both_servers_write_them() {
        let of = |name: &str, length, scale, unsigned| (name.to_owned(), length, scale, unsigned);
        assert_eq!(parts("int"), of("int", None, None, false));
        assert_eq!(
            parts("int(10) unsigned zerofill"),
            of("int", Some(10), None, true)
        );
        assert_eq!(parts("bigint unsigned"), of("bigint", None, None, true));
        assert_eq!(
            parts("decimal(10,2)"),
            of("decimal", Some(10), Some(2), false)
        );
        assert_eq!(parts("DateTime(6)"), of("datetime", Some(6), None, false));
        assert_eq!(
            parts("text /*M!100301 COMPRESSED*/"),
            of("text", None, None, false)
        );
        assert_eq!(parts(""), of("", None, None, false));
    }

    #[test]
    fn members_may_have_quotes_commas_and_parentheses() {
        let members = |text: &str| Declared::parse(text).members;
        assert_eq!(
            members("enum('a','b''c','d,e','f)g','')"),
            ["a", "b'c", "d,e", "f)g", ""]
        );
        assert_eq!(members("set('''')"), ["'"]);
        assert_eq!(members("enum('ä','漢''')"), ["ä", "漢'"]);
        assert!(members("varchar(3)").is_empty());
    }

    #[test]
    fn a_layout_fits_what_it_was_declared_as_and_nothing_else() {
        let fits = |text: &str, layout| Declared::parse(text).fits(layout);
        let int = |bytes| Layout::Int {
            bytes,
            unsigned: false,
        };
        assert!(fits("tinyint(1)", int(1)) && !fits("int", int(1)));
        let decimal = Layout::Decimal {
            precision: 10,
            scale: 0,
        };
        assert!(fits("decimal(10,0)", decimal) && !fits("decimal(10,2)", decimal));
        assert!(fits("datetime", Layout::DateTime { digits: 0 }));
        assert!(!fits("datetime", Layout::DateTime { digits: 3 }));
        let behind = |holds| Layout::Bytes { prefix: 1, holds };
        assert!(fits("uuid", behind(Holds::Fixed)) && fits("json", behind(Holds::Large)));
        assert!(!fits("varchar(20)", behind(Holds::Large)));
        for layout in [
            int(4),
            decimal,
            Layout::Year,
            behind(Holds::Json),
            Layout::Bit { bits: 9 },
        ] {
            assert!(
                Declared::of(layout, true, Vec::new()).fits(layout),
                "{layout:?}"
            );
        }
    }
}
