//! What the server says of tables: columns, defaults, keys (`information_schema`).

use connect_core::Result;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    charset::Charset,
    ddl::evolve,
    declared::Declared,
    error,
    wire::{Answer, Connection, Flavor, Row},
};

/// A table as the server has it now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableInfo {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<ColumnInfo>,
    /// The columns of its primary key, else of its first unique index without nulls; may be empty.
    pub key: Vec<String>,
    /// The statement that gives its rows in a snapshot, where that is not the table itself.
    #[serde(skip)]
    pub select: Option<String>,
    /// The character set of columns that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    pub declared: Declared,
    /// Its character set; none for what is no text.
    #[serde(skip)]
    pub charset: Option<Charset>,
    /// Whether it is declared NOT NULL.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Its default; none when it has none, or none that is the same for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Its default as a statement had it, where that is not the text of its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Its type's name as a statement had it, where the server has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// The name of its character set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset_name: Option<String>,
    /// Whether it is `AUTO_INCREMENT`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub counts: bool,
    /// Whether it is `ON UPDATE CURRENT_TIMESTAMP`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub touched: bool,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// For what is stored: most are not.
pub(crate) fn is_false(is: &bool) -> bool {
    !is
}

/// Tables that pass, ordered by database and name as the server orders bytes.
pub(crate) async fn tables(
    connection: &mut Connection,
    passes: impl Fn(&str, &str) -> bool,
) -> Result<Vec<TableInfo>> {
    let sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES \
        WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') \
        ORDER BY CAST(TABLE_SCHEMA AS BINARY), CAST(TABLE_NAME AS BINARY)";
    let rows = connection.query(sql).await?;
    let names: Vec<(String, String)> = rows
        .iter()
        .filter(|row| passes(row.text(0), row.text(1)))
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()))
        .collect();
    named(connection, &names).await
}

/// These tables, as far as they exist.
pub(crate) async fn named(
    connection: &mut Connection,
    names: &[(String, String)],
) -> Result<Vec<TableInfo>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let pairs: Vec<String> = names
        .iter()
        .map(|(database, table)| format!("({}, {})", literal(database), literal(table)))
        .collect();
    let wanted = format!("(TABLE_SCHEMA, TABLE_NAME) IN ({})", pairs.join(", "));
    let mut tables: FxHashMap<(String, String), TableInfo> = FxHashMap::default();
    let flavor = connection.server().flavor;
    for row in connection.query(&columns_sql(&wanted)).await? {
        let name = (row.text(0).to_owned(), row.text(1).to_owned());
        let table = tables
            .entry(name)
            .or_insert_with_key(|(database, name)| TableInfo::new(database, name));
        table.columns.push(column(&row, flavor));
    }
    let rows = connection.query(&keys_sql(&wanted)).await?;
    for index in rows.chunk_by(|a, b| a.get(..3) == b.get(..3)) {
        let Some(row) = index.first() else { continue };
        let name = (row.text(0).to_owned(), row.text(1).to_owned());
        let is_required = index.iter().all(|row| row.text(4) != "YES");
        // The first index of each table is the one.
        let table = tables.get_mut(&name).filter(|table| table.key.is_empty());
        if let Some(table) = table.filter(|_| is_required) {
            let columns = index.iter().filter_map(|row| row.get(3).cloned().flatten());
            table.key.extend(columns);
        }
    }
    for row in connection.query(&tables_sql(&wanted)).await? {
        let name = (row.text(0).to_owned(), row.text(1).to_owned());
        if let Some(table) = tables.get_mut(&name) {
            table.charset = row.get(2).cloned().flatten().map(charset_of_collation);
            table.comment = Some(row.text(3).to_owned()).filter(|comment| !comment.is_empty());
        }
    }
    Ok(names
        .iter()
        .filter_map(|name| tables.remove(name))
        .collect())
}

fn tables_sql(wanted: &str) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_COLLATION, TABLE_COMMENT FROM information_schema.TABLES WHERE {wanted}"
    )
}

/// The character set and the collation of a database; `None` when there is no such database.
pub(crate) async fn database_charset(
    connection: &mut Connection,
    database: &str,
) -> Result<Option<(String, String)>> {
    let sql = format!(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
        literal(database)
    );
    let rows = connection.query(&sql).await?;
    let row = rows.first();
    Ok(row.map(|row| (row.text(0).to_owned(), row.text(1).to_owned())))
}

/// `utf8mb4_0900_ai_ci` is one of `utf8mb4`.
pub(crate) fn charset_of_collation(collation: String) -> String {
    match collation.split_once('_') {
        Some((charset, _)) => charset.to_owned(),
        None => collation,
    }
}

/// The statement that would make a table anew; `None` when it has just been dropped.
pub(crate) async fn show_create(
    connection: &mut Connection,
    info: &TableInfo,
) -> Result<Option<String>> {
    let sql = format!("SHOW CREATE TABLE {}", info.sql_name());
    let rows = match connection.query(&sql).await {
        Err(error) if error::is_of_server(&error, error::UNKNOWN) => return Ok(None),
        answered => answered?,
    };
    Ok(rows.first().map(|row| row.text(1).to_owned()))
}

/// Adds to a table what only its statement tells: the words of defaults, and which of several unique indexes came first.
pub(crate) fn complete(info: &mut TableInfo, sql: &str) {
    let name = (info.database.as_str(), info.name.as_str());
    let Some(written) = evolve::created(sql.into(), name, info.charset.as_deref()) else {
        return;
    };
    if written.columns.len() == info.columns.len() {
        for (column, written) in info.columns.iter_mut().zip(written.columns) {
            column.expression = written.expression;
            column.comment = written.comment;
        }
        info.key = written.key;
    }
}

/// A table as all statements that the binlog has by now have left it: none of them is still at work on it.
pub(crate) async fn settled(
    connection: &mut Connection,
    name: &(String, String),
) -> Result<Option<TableInfo>> {
    // A statement is logged a moment before its table is what it says. Whoever reads the table waits for that.
    connection
        .execute("SET SESSION lock_wait_timeout = 10")
        .await?;
    let sql = format!(
        "SELECT 1 FROM {}.{} LIMIT 0",
        quoted(&name.0),
        quoted(&name.1)
    );
    if let Err(error) = connection.query(&sql).await {
        tracing::debug!(%error, "a table cannot be read");
    }
    let said = named(connection, std::slice::from_ref(name)).await?;
    let Some(mut info) = said.into_iter().next() else {
        return Ok(None);
    };
    Ok(show_create(connection, &info).await?.map(|sql| {
        complete(&mut info, &sql);
        info
    }))
}

fn columns_sql(wanted: &str) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, IS_NULLABLE, \
         COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE {wanted} \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    )
}

/// The primary key and unique indexes, nulls or not; invisible ones and those of parts too, as for Debezium.
fn keys_sql(wanted: &str) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NULLABLE FROM information_schema.STATISTICS \
         WHERE {wanted} AND NON_UNIQUE = 0 \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
    )
}

fn column(row: &Row, flavor: Flavor) -> ColumnInfo {
    let text = |at: usize| row.get(at).cloned().flatten();
    let extra = row.text(7).to_ascii_lowercase();
    ColumnInfo {
        name: row.text(2).to_owned(),
        declared: Declared::parse(row.text(3)),
        charset: text(4).and_then(|name| Charset::named(&name)),
        required: row.text(5) == "NO",
        default: text(6).and_then(|sql| default(&sql, flavor, extra.contains("generated"))),
        expression: None,
        written: None,
        charset_name: text(4),
        counts: extra.contains("auto_increment"),
        touched: extra.contains("on update"),
        comment: text(8).filter(|comment| !comment.is_empty()),
    }
}

/// A default as the text of a value. MariaDB shows it as SQL, MySQL as the text.
fn default(sql: &str, flavor: Flavor, is_computed: bool) -> Option<String> {
    let is_now = sql.to_ascii_lowercase().starts_with("current_timestamp");
    if is_now {
        return Some("CURRENT_TIMESTAMP".to_owned());
    }
    match flavor {
        _ if is_computed => None,
        Flavor::MySql => Some(sql.to_owned()),
        Flavor::MariaDb => match sql.strip_prefix('\'').and_then(|s| s.strip_suffix('\'')) {
            Some(inner) => Some(inner.replace("''", "'")),
            None if sql.eq_ignore_ascii_case("null") || sql.contains('(') => None,
            None => Some(sql.to_owned()),
        },
    }
}

/// A name in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl TableInfo {
    /// A table of which nothing is known.
    pub(crate) fn new(database: &str, name: &str) -> Self {
        Self {
            database: database.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// `database.table`, as in filters.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// Database and name in SQL.
    pub(crate) fn sql_name(&self) -> String {
        format!("{}.{}", quoted(&self.database), quoted(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_texts_of_values() {
        let of = |sql: &str, flavor| default(sql, flavor, false);
        assert_eq!(of("it's", Flavor::MySql).as_deref(), Some("it's"));
        assert_eq!(of("'it''s'", Flavor::MariaDb).as_deref(), Some("it's"));
        assert_eq!(of("NULL", Flavor::MariaDb), None);
        assert_eq!(of("uuid()", Flavor::MariaDb), None);
        assert_eq!(of("5", Flavor::MariaDb).as_deref(), Some("5"));
        let now = Some("CURRENT_TIMESTAMP");
        assert_eq!(of("current_timestamp(6)", Flavor::MariaDb).as_deref(), now);
        assert_eq!(default("uuid()", Flavor::MySql, true), None);
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quoted("a`b"), "`a``b`");
        assert_eq!(literal("it's \\"), "'it''s \\\\'");
    }
}
