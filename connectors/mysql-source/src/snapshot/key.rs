//! The key in whose order a table is read, and its values as texts and in SQL.
//!
//! The server compares, so that its collations and its own orders decide. A value goes back to it in the type and the character
//! set of its column; what has no text that is exactly the value (a float), or another order as text than as itself, is no key here.

use std::fmt::Write;

use connect_core::Result;
use rustc_hash::FxHashMap;

use crate::{
    catalog::{ColumnInfo, TableInfo, literal, quoted},
    wire::{Answer, Connection},
};

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumn {
    /// Its name in SQL.
    name: String,
    /// Its place among the values of a row.
    pub(super) place: usize,
    /// How its values go to the server and back.
    pub(super) form: Form,
}

/// How the values of a column go to the server and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// A number, as it is.
    Number,
    /// A time, or whatever else the server reads out of a text.
    Text,
    /// Text in a character set of Unicode, in which it comes.
    Unicode(String),
    /// Bytes, in hex; those of a text in another character set, whose name it is. Not all of these come back from UTF-8.
    Bytes(Option<String>),
    /// What is a number for the server and is shown as something else.
    Cast,
}

/// A key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// Its columns; none where rows come in any order.
    pub(super) columns: Vec<KeyColumn>,
    /// What is read beside the columns of the table.
    pub(super) extra: Vec<String>,
    /// Tells this key from what else the table might have as one; it stands behind the values wherever they are stored.
    pub(super) mark: String,
    /// Whether it is the primary key.
    is_primary: bool,
    /// Whether the first column is an integer.
    pub(super) counts: bool,
}

/// What an index says of one of its columns.
#[derive(Debug)]
struct Indexed {
    column: String,
    /// Whether it is all of the column, in ascending order, and never null.
    is_plain: bool,
}

/// What is known of a table: its unique indexes in order, and the collations of its columns.
#[derive(Debug, Default)]
struct Known {
    indexes: Vec<(String, Vec<Indexed>)>,
    collations: FxHashMap<String, String>,
}

/// The keys of tables, in the same order. `is_read` says whether a column of a table is among those that are read.
pub(super) async fn keys(
    connection: &mut Connection,
    tables: &[(&TableInfo, Vec<bool>)],
) -> Result<Vec<Key>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let names = tables.iter().map(|(info, _)| {
        let (database, name) = (literal(&info.database), literal(&info.name));
        format!("({database}, {name})")
    });
    let names: Vec<String> = names.collect();
    let wanted = format!("(TABLE_SCHEMA, TABLE_NAME) IN ({})", names.join(", "));
    let known = known(connection, &wanted).await?;
    let key = |(info, is_read): &(&TableInfo, Vec<bool>)| {
        let known = known.get(&(info.database.clone(), info.name.clone()));
        let key = known.and_then(|known| Key::of(info, is_read, known));
        key.filter(|_| info.select.is_none()).unwrap_or_default()
    };
    Ok(tables.iter().map(key).collect())
}

async fn known(
    connection: &mut Connection,
    wanted: &str,
) -> Result<FxHashMap<(String, String), Known>> {
    let indexed = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART IS NULL AND COLLATION = 'A' AND NULLABLE <> 'YES' \
         FROM information_schema.STATISTICS WHERE {wanted} AND NON_UNIQUE = 0 \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
    );
    let collated = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
         WHERE {wanted} AND COLLATION_NAME IS NOT NULL"
    );
    let mut all: FxHashMap<(String, String), Known> = FxHashMap::default();
    for row in connection.query(&indexed).await? {
        let name = (row.text(0).to_owned(), row.text(1).to_owned());
        let indexes = &mut all.entry(name).or_default().indexes;
        if indexes.last().is_none_or(|(index, _)| index != row.text(2)) {
            indexes.push((row.text(2).to_owned(), Vec::new()));
        }
        if let Some((_, columns)) = indexes.last_mut() {
            columns.push(Indexed {
                column: row.text(3).to_owned(),
                is_plain: row.text(4) == "1",
            });
        }
    }
    for row in connection.query(&collated).await? {
        let name = (row.text(0).to_owned(), row.text(1).to_owned());
        let collations = &mut all.entry(name).or_default().collations;
        collations.insert(row.text(2).to_owned(), row.text(3).to_owned());
    }
    Ok(all)
}

impl Key {
    /// The first index that will do.
    fn of(info: &TableInfo, is_read: &[bool], known: &Known) -> Option<Self> {
        let key = |(name, columns): &(String, Vec<Indexed>)| {
            Self::of_index(info, is_read, (name, columns), known)
        };
        known.indexes.iter().find_map(key)
    }

    fn of_index(
        info: &TableInfo,
        is_read: &[bool],
        (index, columns): (&str, &[Indexed]),
        known: &Known,
    ) -> Option<Self> {
        let mut key = Self {
            is_primary: index == "PRIMARY",
            ..Self::default()
        };
        let mut described = String::new();
        for indexed in columns.iter() {
            let is_it = |column: &ColumnInfo| column.name.eq_ignore_ascii_case(&indexed.column);
            let at = info.columns.iter().position(is_it)?;
            let column = info.columns.get(at).filter(|_| indexed.is_plain)?;
            let form = Form::of(column)?;
            let name = quoted(&column.name);
            let place = match form.beside(&name) {
                None if is_read.get(at).copied().unwrap_or(false) => at,
                beside => {
                    key.extra.push(beside.unwrap_or_else(|| name.clone()));
                    info.columns.len() + key.extra.len() - 1
                }
            };
            let collation = known.collations.get(&column.name);
            // Writing to a String does not fail.
            let _ = write!(
                described,
                "{name} {:?} {} {collation:?};",
                form, column.declared.unsigned
            );
            if key.columns.is_empty() {
                key.counts = is_integer(column);
            }
            key.columns.push(KeyColumn { name, place, form });
        }
        key.mark = mark(&described);
        (!key.columns.is_empty()).then_some(key)
    }

    /// What stands behind FROM, so that the rows come in the order of the key without being sorted.
    pub(super) fn hint(&self) -> &'static str {
        match self.is_primary {
            true => " FORCE INDEX (PRIMARY)",
            false => "",
        }
    }

    /// The columns in SQL, separated by commas.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|key| key.name.as_str()).collect();
        names.join(", ")
    }

    /// The first column in SQL.
    pub(super) fn first(&self) -> &str {
        self.columns.first().map_or("NULL", |key| key.name.as_str())
    }

    /// What gives the values as they are stored.
    pub(super) fn shown(&self) -> String {
        let shown = self.columns.iter().map(|key| match &key.form {
            Form::Bytes(None) => format!("HEX({})", key.name),
            form => form.beside(&key.name).unwrap_or_else(|| key.name.clone()),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Values as they are stored.
    pub(super) fn stored(&self, mut values: Vec<String>) -> Vec<String> {
        values.push(self.mark.clone());
        values
    }

    /// The values of what was stored, if it is of this key. There may be fewer than columns, for all rows that begin with them.
    fn values<'a>(&self, stored: &'a [String]) -> Option<&'a [String]> {
        let (mark, values) = stored.split_last()?;
        let fits = *mark == self.mark && !values.is_empty() && values.len() <= self.columns.len();
        let forms = self.columns.iter().map(|column| &column.form);
        let are_whole = forms
            .zip(values)
            .all(|(form, value)| form.literal(value).is_some());
        (fits && are_whole).then_some(values)
    }

    /// Whether what was stored is of this key, or the end of the table.
    pub(super) fn fits(&self, stored: &[String]) -> bool {
        stored.is_empty() || self.values(stored).is_some()
    }

    /// The first value, as a number.
    pub(super) fn number(&self, stored: &[String]) -> Option<i128> {
        self.values(stored)?.first()?.parse().ok()
    }

    /// What is true of the rows behind a key; `None` for all.
    pub(super) fn behind(&self, stored: &[String]) -> Option<String> {
        self.compared(stored, ">", ">")
    }

    /// What is true of the rows up to a key; `None` for all.
    pub(super) fn upto(&self, stored: &[String]) -> Option<String> {
        self.compared(stored, "<", "<=")
    }

    /// Column by column: servers use an index for that, and not for rows that are compared as such.
    fn compared(&self, stored: &[String], strict: &str, last: &str) -> Option<String> {
        let values = self.values(stored)?;
        let mut sql = String::new();
        for (column, value) in self.columns.iter().zip(values).rev() {
            let (name, value) = (&column.name, column.form.literal(value)?);
            sql = match sql.is_empty() {
                true => format!("{name} {last} {value}"),
                false => format!("({name} {strict} {value} OR ({name} = {value} AND {sql}))"),
            };
        }
        Some(sql)
    }
}

impl Form {
    /// `None` for what is no key.
    fn of(column: &ColumnInfo) -> Option<Self> {
        Some(match column.declared.name.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => {
                Self::Number
            }
            "date" | "datetime" | "timestamp" | "time" | "uuid" | "inet4" | "inet6" => Self::Text,
            "char" | "varchar" => match column.charset_name.as_deref()? {
                charset @ ("utf8mb4" | "utf8mb3" | "utf8") => Self::Unicode(charset.to_owned()),
                "binary" => Self::Bytes(None),
                charset => Self::Bytes(Some(charset.to_owned())),
            },
            "binary" | "varbinary" => Self::Bytes(None),
            "enum" | "set" | "bit" => Self::Cast,
            _ => return None,
        })
    }

    /// What has to be read beside a column to know its value.
    fn beside(&self, name: &str) -> Option<String> {
        match self {
            Self::Number | Self::Text | Self::Unicode(_) | Self::Bytes(None) => None,
            Self::Bytes(Some(_)) => Some(format!("HEX({name})")),
            Self::Cast => Some(format!("CAST({name} AS UNSIGNED)")),
        }
    }

    /// A value in SQL; `None` when it is none of these.
    fn literal(&self, value: &str) -> Option<String> {
        let is_hex =
            || value.len().is_multiple_of(2) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self {
            Self::Number | Self::Cast => is_number(value).then(|| value.to_owned()),
            Self::Text => Some(literal(value)),
            Self::Unicode(charset) => Some(format!("_{charset} x'{}'", hex(value.as_bytes()))),
            Self::Bytes(None) => is_hex().then(|| format!("x'{value}'")),
            Self::Bytes(Some(charset)) => is_hex().then(|| format!("_{charset} x'{value}'")),
        }
    }

    /// The text of a value as it came; `None` when it has none.
    pub(super) fn text(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Bytes(None) => Some(hex(bytes)),
            _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
        }
    }
}

fn is_integer(column: &ColumnInfo) -> bool {
    matches!(
        column.declared.name.as_str(),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
    )
}

fn is_number(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().all(is_part)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// A short name of a text (FNV-1a), the same for ever.
fn mark(text: &str) -> String {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, step);
    format!("#{hash:08x}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ddl::evolve;

    /// A table, whose primary key has these columns.
    pub(in crate::snapshot) fn keyed(columns: &str, key: &[&str]) -> (TableInfo, Option<Key>) {
        let sql = format!("create table t ({columns})");
        let info = evolve::created(sql.as_str().into(), ("d", "t"), Some("utf8mb4")).unwrap();
        let indexed = key.iter().map(|column| Indexed {
            column: (*column).to_owned(),
            is_plain: true,
        });
        let known = Known {
            indexes: vec![("PRIMARY".to_owned(), indexed.collect())],
            collations: FxHashMap::default(),
        };
        let is_read = vec![true; info.columns.len()];
        let key = Key::of(&info, &is_read, &known);
        (info, key)
    }

    fn of(columns: &str, key: &[&str]) -> Key {
        keyed(columns, key).1.unwrap()
    }

    fn stored(key: &Key, values: &[&str]) -> Vec<String> {
        key.stored(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn keys_are_compared_column_by_column() {
        let key = of("b int, a varchar(9), v text", &["a", "b"]);
        let at = stored(&key, &["it's", "7"]);
        let text = "_utf8mb4 x'69742773'";
        assert_eq!(
            key.behind(&at).unwrap(),
            format!("(`a` > {text} OR (`a` = {text} AND `b` > 7))")
        );
        assert_eq!(
            key.upto(&at).unwrap(),
            format!("(`a` < {text} OR (`a` = {text} AND `b` <= 7))")
        );
        assert_eq!(
            key.upto(&stored(&key, &["x"])).unwrap(),
            "`a` <= _utf8mb4 x'78'"
        );
        assert_eq!(key.behind(&[]), None);
        assert_eq!((key.names().as_str(), key.counts), ("`a`, `b`", false));
    }

    #[test]
    fn what_belongs_to_another_key_is_not_believed() {
        let (key, other) = (of("a int", &["a"]), of("a bigint unsigned", &["a"]));
        let at = stored(&key, &["7"]);
        assert!(key.fits(&at) && key.fits(&[]) && !other.fits(&at));
        for wrong in ["7 OR 1", "", "0x7"] {
            assert!(!key.fits(&stored(&key, &[wrong])), "{wrong}");
        }
        assert!(!key.fits(&stored(&key, &["7", "8"])));
        assert_eq!(other.behind(&at), None);
    }

    #[test]
    fn values_go_back_in_their_own_form() {
        let key = of(
            "e enum('b','a'), l varchar(9) character set latin1, y varbinary(9), d datetime",
            &["e", "l", "y", "d"],
        );
        assert_eq!(key.extra, ["CAST(`e` AS UNSIGNED)", "HEX(`l`)"]);
        let places: Vec<usize> = key.columns.iter().map(|column| column.place).collect();
        assert_eq!(places, [4, 5, 2, 3]);
        let literals = key
            .columns
            .iter()
            .zip(["2", "E4", "00FF", "2026-01-02 03:04:05"]);
        let literals: Vec<_> = literals
            .map(|(column, value)| column.form.literal(value).unwrap())
            .collect();
        assert_eq!(
            literals,
            ["2", "_latin1 x'E4'", "x'00FF'", "'2026-01-02 03:04:05'"]
        );
        assert!(keyed("f float", &["f"]).1.is_none());
    }
}
