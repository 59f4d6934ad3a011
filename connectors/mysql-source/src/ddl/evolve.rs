//! What a statement makes of a table: the table as it was in, as it is out
//! (<https://dev.mysql.com/doc/refman/9.4/en/alter-table.html>, <https://mariadb.com/kb/en/alter-table/>).
//!
//! `None` where it is not known for certain: then the server is asked what the table is now, and the map of its next rows
//! is the judge in either case.

use super::{
    define::{Defined, charset, default, define, value},
    words::{Word, Words},
};
use crate::catalog::{TableInfo, charset_of_collation};

/// A statement, and how its texts are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether a backslash escapes.
    pub escapes: bool,
}

impl<'a> From<&'a str> for Sql<'a> {
    fn from(text: &'a str) -> Self {
        let escapes = true;
        Self { text, escapes }
    }
}

impl<'a> Sql<'a> {
    fn words(self) -> Words<'a> {
        match self.escapes {
            true => Words::new(self.text),
            false => Words::without_escapes(self.text),
        }
    }
}

/// The table behind `ALTER TABLE`, and behind statements that make and drop indexes.
pub(crate) fn altered(sql: Sql<'_>, table: &TableInfo) -> Option<TableInfo> {
    let mut words = sql.words();
    if words.is_any(&["CREATE", "DROP"]) {
        let may_be_key = words.skip("CREATE") && words.skip("UNIQUE") && table.key.is_empty();
        return (!may_be_key).then(|| table.clone());
    }
    words.skip_behind("TABLE")?;
    words.skip_all(&["IF", "EXISTS"]);
    words.name()?;
    let mut table = table.clone();
    while !words.is_empty() {
        clause(&mut words, &mut table)?;
        words.skip_symbol(',');
    }
    Some(table)
}

/// The table behind `CREATE TABLE (…)`, whose columns have `charset` unless something is said of it.
pub(crate) fn created(
    sql: Sql<'_>,
    (database, name): (&str, &str),
    usual: Option<&str>,
) -> Option<TableInfo> {
    let mut words = sql.words();
    words.skip_behind("TABLE")?;
    words.skip_all(&["IF", "NOT", "EXISTS"]);
    words.name()?;
    let mut table = TableInfo {
        charset: usual.map(str::to_owned),
        ..TableInfo::new(database, name)
    };
    let mut behind = words.clone();
    behind.skip_group().then_some(())?;
    options(&mut behind, &mut table)?;
    words.skip_symbol('(').then_some(())?;
    while !words.skip_symbol(')') {
        element(&mut words, &mut table)?;
        words.skip_symbol(',');
    }
    Some(table)
}

/// The table of `CREATE TABLE … LIKE`.
pub(crate) fn like(sql: &str) -> Option<super::Name> {
    let mut words = Words::new(sql);
    words.skip_behind("TABLE")?;
    words.skip_all(&["IF", "NOT", "EXISTS"]);
    words.name()?;
    words.skip_symbol('(');
    words.skip("LIKE").then(|| words.name())?
}

/// Whether it is `CREATE TABLE IF NOT EXISTS`, which leaves a table of that name as it is.
pub(crate) fn keeps_what_is_there(sql: &str) -> bool {
    let mut words = Words::new(sql);
    words.skip_behind("TABLE").is_some() && words.skip_all(&["IF", "NOT", "EXISTS"])
}

/// Options of a table, separated by blanks or commas, up to the end; not a query.
fn options(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    while let Some(word) = words.peek() {
        if ["AS", "SELECT", "WITH", "IGNORE", "REPLACE"]
            .iter()
            .any(|query| word.is(query))
        {
            // MariaDB's WITH SYSTEM VERSIONING is no query.
            words
                .skip_all(&["WITH", "SYSTEM", "VERSIONING"])
                .then_some(())?;
        } else if word.is("PARTITION") {
            return Some(());
        } else {
            option(words, table)?;
        }
    }
    Some(())
}

/// One option, or a word of one that is of no concern.
fn option(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip("CHARSET") || words.skip_all(&["CHARACTER", "SET"]) {
        table.charset = Some(charset(words)?);
    } else if words.skip("COLLATE") {
        words.skip_symbol('=');
        table.charset = Some(charset_of_collation(value(words)?));
    } else if words.skip("COMMENT") {
        words.skip_symbol('=');
        table.comment = Some(words.text()?);
    } else if !words.skip_group() {
        words.skip_any().then_some(())?;
    }
    Some(())
}

const INDEX_WORDS: [&str; 12] = [
    "INDEX",
    "KEY",
    "FULLTEXT",
    "SPATIAL",
    "VECTOR",
    "FOREIGN",
    "CHECK",
    "PARTITION",
    "PERIOD",
    "SYSTEM",
    "UNIQUE",
    "PRIMARY",
];

/// A column or a key within the parentheses of `CREATE TABLE`.
fn element(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip("CONSTRAINT") && !words.is_any(&INDEX_WORDS) {
        words.identifier()?;
    }
    match is_index(words) {
        true => index(words, table),
        false => {
            let name = words.identifier()?;
            let defined = define(words, name)?;
            add(defined, table)
        }
    }
}

/// Whether an index comes next, not a column of such a name.
fn is_index(words: &Words<'_>) -> bool {
    matches!(words.peek(), Some(Word::Plain(_))) && words.is_any(&INDEX_WORDS)
}

/// An index or a constraint: those that may be the key count.
fn index(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip_all(&["PRIMARY", "KEY"]) {
        let names = indexed(words)?;
        for column in &mut table.columns {
            column.required |= names
                .iter()
                .any(|name| column.name.eq_ignore_ascii_case(name));
        }
        table.key = spelled(&names, table)?;
    } else if words.skip("UNIQUE") {
        let names = spelled(&indexed(words)?, table)?;
        let is_required = |name: &String| {
            let column = table.columns.iter().find(|column| column.name == *name);
            column.is_some_and(|column| column.required)
        };
        if table.key.is_empty() && names.iter().all(is_required) {
            table.key = names;
        }
    }
    words.skip_clause();
    Some(())
}

/// The columns of an index, past its name and kind.
fn indexed(words: &mut Words<'_>) -> Option<Vec<String>> {
    while !words.skip_symbol('(') {
        words.skip_any().then_some(())?;
    }
    let mut names = Vec::new();
    while !words.skip_symbol(')') {
        // A part that is an expression is no column.
        names.push(words.identifier()?);
        words.skip_clause();
        words.skip_symbol(',');
    }
    Some(names)
}

/// Names as the columns have them.
fn spelled(names: &[String], table: &TableInfo) -> Option<Vec<String>> {
    let names = names.iter().map(|name| place(name, table));
    let columns = names.map(|at| Some(table.columns.get(at?)?.name.clone()));
    columns.collect()
}

fn place(name: &str, table: &TableInfo) -> Option<usize> {
    let mut names = table.columns.iter().map(|column| &column.name);
    names.position(|known| known.eq_ignore_ascii_case(name))
}

/// Adds a column at the end.
fn add(defined: Defined, table: &mut TableInfo) -> Option<()> {
    let Defined {
        column,
        is_primary,
        is_unique,
    } = defined;
    if !column.is_known() || place(&column.name, table).is_some() {
        return None;
    }
    if is_primary || (is_unique && column.required && table.key.is_empty()) {
        table.key = vec![column.name.clone()];
    }
    let column = column.of_table(table.charset.as_deref());
    table.columns.push(column);
    Some(())
}

/// A clause of `ALTER TABLE`.
fn clause(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip("ADD") {
        added(words, table)
    } else if words.skip("DROP") {
        dropped(words, table)
    } else if words.skip("MODIFY") {
        words.skip("COLUMN");
        words.skip_all(&["IF", "EXISTS"]);
        let name = words.identifier()?;
        replaced(words, table, &name.clone(), name)
    } else if words.skip("CHANGE") {
        words.skip("COLUMN");
        words.skip_all(&["IF", "EXISTS"]);
        let (old, new) = (words.identifier()?, words.identifier()?);
        replaced(words, table, &old, new)
    } else if words.skip("RENAME") {
        renamed(words, table)
    } else if words.skip("ALTER") {
        with_default(words, table)
    } else if words.skip_all(&["CONVERT", "TO"]) {
        converted(words, table)
    } else if words.is_any(&["PARTITION", "REORGANIZE", "COALESCE", "EXCHANGE"]) {
        while words.skip_any() {}
        Some(())
    } else {
        while !words.is_empty() && words.peek() != Some(Word::Symbol(',')) {
            option(words, table)?;
        }
        Some(())
    }
}

fn added(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip("CONSTRAINT") {
        if !words.is_any(&INDEX_WORDS) {
            words.identifier()?;
        }
        return index(words, table);
    }
    if is_index(words) {
        return index(words, table);
    }
    words.skip("COLUMN");
    if words.skip_all(&["IF", "NOT", "EXISTS"]) {
        let mut ahead = words.clone();
        if place(&ahead.identifier()?, table).is_some() {
            words.skip_clause();
            return Some(());
        }
    }
    if words.skip_symbol('(') {
        while !words.skip_symbol(')') {
            element(words, table)?;
            words.skip_symbol(',');
        }
        return Some(());
    }
    let name = words.identifier()?;
    let defined = define(words, name)?;
    add(defined, table)?;
    moved(words, table, table.columns.len().checked_sub(1)?)
}

/// Moves a column to where `FIRST` or `AFTER` say.
fn moved(words: &mut Words<'_>, table: &mut TableInfo, from: usize) -> Option<()> {
    if words.skip("FIRST") {
        let column = table.columns.remove(from);
        table.columns.insert(0, column);
    } else if words.skip("AFTER") {
        let name = words.identifier()?;
        place(&name, table)?;
        let column = table.columns.remove(from);
        let at = match column.name.eq_ignore_ascii_case(&name) {
            true => return None,
            false => place(&name, table)? + 1,
        };
        table.columns.insert(at, column);
    }
    Some(())
}

fn dropped(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip_all(&["PRIMARY", "KEY"]) {
        table.key.clear();
    } else if is_index(words) || words.is_any(&["CONSTRAINT"]) {
        // Which columns it had is not known; where there is a primary key, it was another.
        words.skip_clause();
    } else {
        words.skip("COLUMN");
        let may_be_gone = words.skip_all(&["IF", "EXISTS"]);
        let name = words.identifier()?;
        match place(&name, table) {
            Some(at) => {
                let column = table.columns.remove(at);
                table.key.retain(|key| *key != column.name);
            }
            None => may_be_gone.then_some(())?,
        }
        words.skip_clause();
    }
    Some(())
}

/// `MODIFY` and `CHANGE`: the column anew, where it was.
fn replaced(words: &mut Words<'_>, table: &mut TableInfo, old: &str, new: String) -> Option<()> {
    let at = place(old, table)?;
    let Defined {
        mut column,
        is_primary,
        is_unique,
    } = define(words, new)?;
    if !column.is_known() {
        return None;
    }
    let was = table.columns.get(at)?.name.clone();
    if is_primary || (is_unique && column.required && table.key.is_empty()) {
        table.key = vec![was.clone()];
    }
    column.required |= table.key.contains(&was);
    for key in table.key.iter_mut().filter(|key| **key == was) {
        key.clone_from(&column.name);
    }
    let charset = table.charset.as_deref();
    *table.columns.get_mut(at)? = column.of_table(charset);
    moved(words, table, at)
}

fn renamed(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.skip("COLUMN") {
        words.skip_all(&["IF", "EXISTS"]);
        let at = place(&words.identifier()?, table)?;
        words.skip("TO").then_some(())?;
        let to = words.identifier()?;
        let column = table.columns.get_mut(at)?;
        let was = std::mem::replace(&mut column.name, to.clone());
        for key in table.key.iter_mut().filter(|key| **key == was) {
            key.clone_from(&to);
        }
    } else if !words.is_any(&["INDEX", "KEY", "CONSTRAINT"]) {
        if !words.skip("TO") && !words.skip("AS") {
            words.skip_symbol('=');
        }
        // The statement's own reading tells which it is.
        words.name()?;
    } else {
        words.skip_clause();
    }
    Some(())
}

/// `ALTER COLUMN name SET DEFAULT value`
fn with_default(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    if words.is_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"]) {
        words.skip_clause();
        return Some(());
    }
    words.skip("COLUMN");
    words.skip_all(&["IF", "EXISTS"]);
    let at = place(&words.identifier()?, table)?;
    let column = table.columns.get_mut(at)?;
    if words.skip_all(&["DROP", "DEFAULT"]) {
        (column.default, column.expression) = (None, None);
    } else if words.skip_all(&["SET", "DEFAULT"]) {
        (column.default, column.expression) = default(words)?;
    } else {
        words.skip_clause();
    }
    Some(())
}

/// `CONVERT TO CHARACTER SET`
fn converted(words: &mut Words<'_>, table: &mut TableInfo) -> Option<()> {
    let is_named = words.skip("CHARSET") || words.skip_all(&["CHARACTER", "SET"]);
    let name = is_named.then(|| charset(words))??;
    if name == "default" || name == "binary" {
        return None;
    }
    if words.skip("COLLATE") {
        words.skip_symbol('=');
        value(words)?;
    }
    table.charset = Some(name.clone());
    for column in table.columns.iter_mut().filter(|column| column.is_text()) {
        column.charset_name = None;
        *column = std::mem::replace(column, column.clone()).of_table(Some(&name));
    }
    Some(())
}

#[cfg(test)]
mod tests;
