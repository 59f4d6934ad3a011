//! What a statement says of a column: `name type attributes`
//! (<https://dev.mysql.com/doc/refman/9.4/en/create-table.html>, <https://mariadb.com/kb/en/create-table/>).
//!
//! Whatever is not understood makes the whole definition `None`: then the server is asked instead.

use super::words::{Word, Words};
use crate::{
    catalog::{ColumnInfo, charset_of_collation},
    charset::Charset,
    declared::{Declared, is_geometry},
};

/// A column, and what its definition says of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Defined {
    /// The column.
    pub(crate) column: ColumnInfo,
    /// `PRIMARY KEY`
    pub(super) is_primary: bool,
    /// `UNIQUE`
    pub(super) is_unique: bool,
}

/// Reads the definition behind a name.
pub(super) fn define(words: &mut Words<'_>, name: String) -> Option<Defined> {
    let (declared, written) = declared(words)?;
    let mut defined = Defined {
        column: ColumnInfo {
            written,
            ..ColumnInfo::new(name, declared)
        },
        is_primary: false,
        is_unique: false,
    };
    if defined.column.declared.name == "serial" {
        defined.serial();
    }
    while !ends(words) {
        attribute(words, &mut defined)?;
    }
    defined.settle();
    Some(defined)
}

/// Whether the definition is over.
fn ends(words: &Words<'_>) -> bool {
    match words.peek() {
        None | Some(Word::Symbol(',' | ')')) => true,
        Some(word) => word.is("FIRST") || word.is("AFTER"),
    }
}

/// The type with its numbers, and its name where that is another than the server's.
fn declared(words: &mut Words<'_>) -> Option<(Declared, Option<String>)> {
    let first = words.keyword()?;
    let written = named(words, first);
    let (name, length) = canonical(&written);
    let mut declared = Declared::parse(name);
    declared.length = length;
    if words.skip_symbol('(') {
        if matches!(name, "enum" | "set") {
            declared.members = members(words)?;
        } else {
            declared.length = words.number()?.parse().ok();
            if words.skip_symbol(',') {
                declared.scale = words.number()?.parse().ok();
            }
        }
        words.skip_symbol(')').then_some(())?;
    }
    loop {
        if words.skip("UNSIGNED") {
            declared.unsigned = true;
        } else if words.skip("ZEROFILL") {
            (declared.unsigned, declared.zerofill) = (true, true);
        } else if !words.skip("SIGNED") {
            break;
        }
    }
    if declared.name == "float"
        && declared.scale.is_none()
        && declared.length.is_some_and(|p| p > 24)
    {
        "double".clone_into(&mut declared.name);
    }
    let written = (!written.eq_ignore_ascii_case(name)).then_some(written);
    Some((declared, written))
}

/// The words of a type's name, in upper case.
fn named(words: &mut Words<'_>, first: String) -> String {
    let followers: &[&str] = match first.as_str() {
        "DOUBLE" => &["PRECISION"],
        "CHARACTER" | "CHAR" => &["VARYING"],
        "NCHAR" => &["VARYING", "VARCHAR"],
        "NATIONAL" | "LONG" => &["VARCHAR", "CHARACTER", "CHAR", "VARBINARY", "VARYING"],
        _ => &[],
    };
    let mut name = first;
    while let Some(follower) = followers.iter().find(|follower| words.skip(follower)) {
        name.push(' ');
        name.push_str(follower);
        if name.ends_with("CHAR") || name.ends_with("CHARACTER") {
            continue;
        }
        break;
    }
    name
}

/// The server's name of a type, and the length that goes with it.
fn canonical(name: &str) -> (&str, Option<u32>) {
    let name = match name {
        "INTEGER" | "INT4" | "INT" => "int",
        "INT1" | "TINYINT" => "tinyint",
        "BOOL" | "BOOLEAN" => return ("tinyint", Some(1)),
        "INT2" | "SMALLINT" => "smallint",
        "INT3" | "MIDDLEINT" | "MEDIUMINT" => "mediumint",
        "INT8" | "BIGINT" => "bigint",
        "SERIAL" => "serial",
        "DEC" | "NUMERIC" | "FIXED" | "DECIMAL" => "decimal",
        "REAL" | "FLOAT8" | "DOUBLE PRECISION" | "DOUBLE" => "double",
        "FLOAT4" | "FLOAT" => "float",
        "CHARACTER" | "NCHAR" | "NATIONAL CHAR" | "NATIONAL CHARACTER" | "CHAR" => "char",
        "LONG" | "LONG VARCHAR" | "LONG CHAR VARYING" | "MEDIUMTEXT" => "mediumtext",
        "LONG VARBINARY" | "MEDIUMBLOB" => "mediumblob",
        "GEOMETRYCOLLECTION" | "GEOMCOLLECTION" => "geomcollection",
        name if name.ends_with("VARYING") || name.ends_with("VARCHAR") => "varchar",
        name => known(name),
    };
    (name, None)
}

/// Types of one name alone.
fn known(name: &str) -> &str {
    const NAMES: [&str; 29] = [
        "bit",
        "date",
        "datetime",
        "timestamp",
        "time",
        "year",
        "binary",
        "varbinary",
        "tinyblob",
        "blob",
        "longblob",
        "tinytext",
        "text",
        "longtext",
        "enum",
        "set",
        "json",
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "vector",
        "uuid",
        "inet4",
        "inet6",
        "varcharacter",
    ];
    let found = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name));
    found.copied().unwrap_or(name)
}

fn members(words: &mut Words<'_>) -> Option<Vec<String>> {
    let mut members = vec![words.text()?];
    while words.skip_symbol(',') {
        members.push(words.text()?);
    }
    Some(members)
}

fn attribute(words: &mut Words<'_>, of: &mut Defined) -> Option<()> {
    let column = &mut of.column;
    match words.keyword()?.as_str() {
        "NOT" if words.skip("NULL") => column.required = true,
        // Of a CHECK: NOT ENFORCED.
        "NOT" => words.skip("ENFORCED").then_some(())?,
        "NULL" => column.required = false,
        "DEFAULT" => (column.default, column.expression) = default(words)?,
        "AUTO_INCREMENT" => column.counts = true,
        "ON" => {
            words.skip("UPDATE").then_some(())?;
            now(words)?;
            column.touched = true;
        }
        "UNIQUE" => {
            words.skip("KEY");
            of.is_unique = true;
        }
        "PRIMARY" => {
            words.skip("KEY").then_some(())?;
            of.is_primary = true;
        }
        "KEY" => of.is_primary = true,
        "SERIAL" => {
            words.skip_all(&["DEFAULT", "VALUE"]).then_some(())?;
            of.serial();
        }
        "COMMENT" => column.comment = Some(words.text_as_written()?.1.to_owned()),
        "COLLATE" => {
            words.skip_symbol('=');
            let charset = charset_of_collation(value(words)?);
            column.charset_name.get_or_insert(charset);
        }
        "CHARSET" => column.charset_name = Some(charset(words)?),
        "CHARACTER" => {
            words.skip("SET").then_some(())?;
            column.charset_name = Some(charset(words)?);
        }
        "BINARY" => {
            let name = column.declared.name.to_uppercase();
            column.written = Some(format!("{} BINARY", column.written.take().unwrap_or(name)));
        }
        "ASCII" => column.charset_name = Some("latin1".to_owned()),
        "UNICODE" => column.charset_name = Some("ucs2".to_owned()),
        rest => return silent(words, rest),
    }
    Some(())
}

/// Attributes that change nothing of what rows hold.
fn silent(words: &mut Words<'_>, keyword: &str) -> Option<()> {
    match keyword {
        "VISIBLE" | "INVISIBLE" | "VIRTUAL" | "STORED" | "PERSISTENT" | "ENFORCED" => {}
        "COLUMN_FORMAT"
        | "STORAGE"
        | "ENGINE_ATTRIBUTE"
        | "SECONDARY_ENGINE_ATTRIBUTE"
        | "SRID"
        | "REF_SYSTEM_ID" => {
            words.skip_symbol('=');
            words.skip_any().then_some(())?;
        }
        "GENERATED" => {
            words.skip_all(&["ALWAYS", "AS"]).then_some(())?;
            words.skip_group().then_some(())?;
        }
        "AS" | "CHECK" => words.skip_group().then_some(())?,
        "CONSTRAINT" => {
            if !words.is_any(&["CHECK"]) {
                words.identifier()?;
            }
        }
        "COMPRESSED" => {
            if words.skip_symbol('=') {
                words.skip_any().then_some(())?;
            }
        }
        // All that may follow is of the other table.
        "REFERENCES" => words.skip_clause(),
        "WITH" | "WITHOUT" => {
            words.skip_all(&["SYSTEM", "VERSIONING"]).then_some(())?;
        }
        _ => return None,
    }
    Some(())
}

/// The default as the server shows it, and as it is written without its quotes; an expression has no value that is the same
/// for each row.
pub(super) fn default(words: &mut Words<'_>) -> Option<(Option<String>, Option<String>)> {
    let same = |text: &str| (Some(text.to_owned()), Some(text.to_owned()));
    if let Some(hex) = words.hex() {
        return Some(same(hex));
    }
    if let Some(number) = words.number() {
        let shown = number.trim_start_matches('+');
        return Some((Some(shown.to_owned()), Some(number.to_owned())));
    }
    if words.skip_group() {
        return Some((None, None));
    }
    if let Some((text, written)) = words.text_as_written() {
        return Some((Some(text), Some(written.to_owned())));
    }
    if words.is_any(&["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"]) {
        now(words)?;
        return Some((Some("CURRENT_TIMESTAMP".to_owned()), None));
    }
    let word = words.identifier()?;
    let text = |shown: &str| Some((Some(shown.to_owned()), Some(word.clone())));
    match word.to_ascii_uppercase().as_str() {
        "NULL" => Some((None, None)),
        "TRUE" => text("1"),
        "FALSE" => text("0"),
        "B" => Some((Some(format!("b'{}'", words.text()?)), None)),
        "X" => Some((Some(format!("0x{}", words.text()?)), None)),
        introducer if introducer.starts_with('_') => Some(same(&words.text()?)),
        // MariaDB: a function without more parentheses.
        _ => {
            words.skip_group().then_some(())?;
            Some((None, None))
        }
    }
}

/// `CURRENT_TIMESTAMP`, `NOW(6)`
fn now(words: &mut Words<'_>) -> Option<()> {
    words.keyword()?;
    words.skip_group();
    Some(())
}

/// A word or a text.
pub(super) fn value(words: &mut Words<'_>) -> Option<String> {
    match words.text() {
        Some(text) => Some(text),
        None => words.identifier(),
    }
}

pub(super) fn charset(words: &mut Words<'_>) -> Option<String> {
    words.skip_symbol('=');
    value(words).map(|name| name.to_ascii_lowercase())
}

impl Defined {
    fn serial(&mut self) {
        let column = &mut self.column;
        if column.declared.name == "serial" {
            column.declared = Declared::parse("bigint unsigned");
            column.written = None;
        }
        (column.required, column.counts) = (true, true);
        self.is_unique = true;
    }

    /// What follows from the type.
    fn settle(&mut self) {
        let column = &mut self.column;
        column.required |= self.is_primary;
        let is_national = column
            .written
            .as_deref()
            .is_some_and(|name| name.starts_with('N'));
        if is_national && column.is_text() {
            column.charset_name.get_or_insert_with(|| "utf8".to_owned());
        }
        if !column.is_text() {
            column.charset_name = None;
        }
        let name = column.declared.name.as_str();
        if let (Some(text), "datetime" | "timestamp") = (&mut column.default, name)
            && text.len() == "2000-01-01".len()
        {
            text.push_str(" 00:00:00");
        }
        column.charset = column.charset_name.as_deref().and_then(Charset::named);
    }
}

impl ColumnInfo {
    /// A column of which nothing else is known.
    pub(crate) fn new(name: String, declared: Declared) -> Self {
        Self {
            name,
            declared,
            charset: None,
            required: false,
            default: None,
            expression: None,
            written: None,
            charset_name: None,
            counts: false,
            touched: false,
            comment: None,
        }
    }

    /// Whether its values have a character set.
    pub(super) fn is_text(&self) -> bool {
        let name = self.declared.name.as_str();
        name.ends_with("text") || matches!(name, "char" | "varchar" | "enum" | "set")
    }

    /// The same with the character set of its table, if it has none of its own.
    pub(super) fn of_table(mut self, charset: Option<&str>) -> Self {
        if let (true, None, Some(charset)) = (self.is_text(), &self.charset_name, charset) {
            self.charset_name = Some(charset.to_owned());
            self.charset = Charset::named(charset);
        }
        self
    }

    /// Whether the type is one that is understood.
    pub(super) fn is_known(&self) -> bool {
        const OTHERS: [&str; 25] = [
            "bit",
            "date",
            "datetime",
            "timestamp",
            "time",
            "year",
            "binary",
            "varbinary",
            "json",
            "vector",
            "uuid",
            "inet4",
            "inet6",
            "tinyint",
            "smallint",
            "mediumint",
            "int",
            "bigint",
            "decimal",
            "double",
            "float",
            "tinyblob",
            "blob",
            "mediumblob",
            "longblob",
        ];
        let name = self.declared.name.as_str();
        self.is_text() || is_geometry(name) || OTHERS.contains(&name)
    }
}
