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

/// A table while a statement is read. Its clauses name columns as they were called before it.
struct Draft {
    table: TableInfo,
    /// What its columns were called before; none for new ones.
    origins: Vec<Option<String>>,
    /// The key before, in names of then.
    old_key: Vec<String>,
    /// The new primary key.
    primary: Option<Vec<String>>,
    /// The first new unique index without nulls.
    unique: Option<Vec<String>>,
}

impl Draft {
    fn new(mut table: TableInfo) -> Self {
        let names = table.columns.iter().map(|column| Some(column.name.clone()));
        Self {
            origins: names.collect(),
            old_key: std::mem::take(&mut table.key),
            table,
            primary: None,
            unique: None,
        }
    }

    /// The place of a column by its name of before the statement.
    fn place(&self, name: &str) -> Option<usize> {
        let is = |origin: &Option<String>| {
            origin
                .as_ref()
                .is_some_and(|origin| origin.eq_ignore_ascii_case(name))
        };
        self.origins.iter().position(is)
    }

    /// The place of a column by its name from here on.
    fn place_now(&self, name: &str) -> Option<usize> {
        let mut names = self.table.columns.iter().map(|column| &column.name);
        names.position(|known| known.eq_ignore_ascii_case(name))
    }

    /// Names as the columns have them from here on.
    fn spelled(&self, names: &[String]) -> Option<Vec<String>> {
        let columns = names.iter().map(|name| self.place_now(name));
        let names = columns.map(|at| Some(self.table.columns.get(at?)?.name.clone()));
        names.collect()
    }

    fn is_of_old_key(&self, at: usize) -> bool {
        let origin = self.origins.get(at).and_then(Option::as_ref);
        origin.is_some_and(|origin| self.old_key.contains(origin))
    }

    /// The table behind the statement; none when two columns would have one name.
    fn finish(mut self) -> Option<TableInfo> {
        let now = |name: &String| {
            let column = self.table.columns.get(self.place(name)?)?;
            Some(column.name.clone())
        };
        let old: Vec<String> = self.old_key.iter().filter_map(now).collect();
        let unique = self.unique.take().filter(|_| old.is_empty());
        self.table.key = self.primary.take().or(unique).unwrap_or(old);
        let columns = &self.table.columns;
        let is_once = |name: &str| {
            let same = columns
                .iter()
                .filter(|column| column.name.eq_ignore_ascii_case(name));
            same.count() == 1
        };
        let are_once = columns.iter().all(|column| is_once(&column.name));
        are_once.then_some(self.table)
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
    let mut draft = Draft::new(table.clone());
    while !words.is_empty() {
        clause(&mut words, &mut draft)?;
        words.skip_symbol(',');
    }
    draft.finish()
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
    let mut draft = Draft::new(table);
    while !words.skip_symbol(')') {
        element(&mut words, &mut draft)?;
        words.skip_symbol(',');
    }
    draft.finish()
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
        table.comment = Some(words.text_as_written()?.1.to_owned());
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
fn element(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip("CONSTRAINT") && !words.is_any(&INDEX_WORDS) {
        words.identifier()?;
    }
    match is_index(words) {
        true => index(words, draft),
        false => {
            let name = words.identifier()?;
            let defined = define(words, name)?;
            add(defined, draft)
        }
    }
}

/// Whether an index comes next, not a column of such a name.
fn is_index(words: &Words<'_>) -> bool {
    matches!(words.peek(), Some(Word::Plain(_))) && words.is_any(&INDEX_WORDS)
}

/// An index or a constraint: those that may be the key count.
fn index(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip_all(&["PRIMARY", "KEY"]) {
        let names = draft.spelled(&indexed(words)?)?;
        for column in &mut draft.table.columns {
            column.required |= names.contains(&column.name);
        }
        draft.primary = Some(names);
    } else if words.skip("UNIQUE") {
        let names = draft.spelled(&indexed(words)?)?;
        let mut columns = draft.table.columns.iter();
        if columns.all(|column| column.required || !names.contains(&column.name)) {
            draft.unique.get_or_insert(names);
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

/// Adds a column at the end.
fn add(defined: Defined, draft: &mut Draft) -> Option<()> {
    let Defined {
        column,
        is_primary,
        is_unique,
    } = defined;
    if !column.is_known() {
        return None;
    }
    if is_primary {
        draft.primary = Some(vec![column.name.clone()]);
    } else if is_unique && column.required {
        draft.unique.get_or_insert(vec![column.name.clone()]);
    }
    let column = column.of_table(draft.table.charset.as_deref());
    draft.table.columns.push(column);
    draft.origins.push(None);
    Some(())
}

/// A clause of `ALTER TABLE`.
fn clause(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip("ADD") {
        added(words, draft)
    } else if words.skip("DROP") {
        dropped(words, draft)
    } else if words.skip("MODIFY") {
        words.skip("COLUMN");
        words.skip_all(&["IF", "EXISTS"]);
        let name = words.identifier()?;
        replaced(words, draft, &name.clone(), name)
    } else if words.skip("CHANGE") {
        words.skip("COLUMN");
        words.skip_all(&["IF", "EXISTS"]);
        let (old, new) = (words.identifier()?, words.identifier()?);
        replaced(words, draft, &old, new)
    } else if words.skip("RENAME") {
        renamed(words, draft)
    } else if words.skip("ALTER") {
        with_default(words, draft)
    } else if words.skip_all(&["CONVERT", "TO"]) {
        converted(words, draft)
    } else if words.is_any(&["PARTITION", "REORGANIZE", "COALESCE", "EXCHANGE"]) {
        while words.skip_any() {}
        Some(())
    } else {
        while !words.is_empty() && words.peek() != Some(Word::Symbol(',')) {
            option(words, &mut draft.table)?;
        }
        Some(())
    }
}

fn added(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip("CONSTRAINT") {
        if !words.is_any(&INDEX_WORDS) {
            words.identifier()?;
        }
        return index(words, draft);
    }
    if is_index(words) {
        return index(words, draft);
    }
    words.skip("COLUMN");
    if words.skip_all(&["IF", "NOT", "EXISTS"]) {
        let mut ahead = words.clone();
        if draft.place(&ahead.identifier()?).is_some() {
            words.skip_clause();
            return Some(());
        }
    }
    if words.skip_symbol('(') {
        while !words.skip_symbol(')') {
            element(words, draft)?;
            words.skip_symbol(',');
        }
        return Some(());
    }
    let name = words.identifier()?;
    let defined = define(words, name)?;
    add(defined, draft)?;
    let at = draft.table.columns.len().checked_sub(1)?;
    moved(words, draft, at)
}

/// Moves a column to where `FIRST` or `AFTER` say.
fn moved(words: &mut Words<'_>, draft: &mut Draft, from: usize) -> Option<()> {
    let after = match words.skip("FIRST") {
        true => None,
        false if words.skip("AFTER") => Some(words.identifier()?),
        false => return Some(()),
    };
    let column = draft.table.columns.remove(from);
    let origin = draft.origins.remove(from);
    let to = match after {
        None => 0,
        Some(name) => draft.place_now(&name).or_else(|| draft.place(&name))? + 1,
    };
    draft.table.columns.insert(to, column);
    draft.origins.insert(to, origin);
    Some(())
}

fn dropped(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip_all(&["PRIMARY", "KEY"]) {
        draft.old_key.clear();
    } else if is_index(words) || words.is_any(&["CONSTRAINT"]) {
        // Which columns it had is not known; where there is a primary key, it was another.
        words.skip_clause();
    } else {
        words.skip("COLUMN");
        let may_be_gone = words.skip_all(&["IF", "EXISTS"]);
        match draft.place(&words.identifier()?) {
            Some(at) => {
                draft.table.columns.remove(at);
                draft.origins.remove(at);
            }
            None => may_be_gone.then_some(())?,
        }
        words.skip_clause();
    }
    Some(())
}

/// `MODIFY` and `CHANGE`: the column anew, where it was.
fn replaced(words: &mut Words<'_>, draft: &mut Draft, old: &str, new: String) -> Option<()> {
    let at = draft.place(old)?;
    let Defined {
        mut column,
        is_primary,
        is_unique,
    } = define(words, new)?;
    if !column.is_known() {
        return None;
    }
    column.required |= draft.is_of_old_key(at);
    if is_primary {
        draft.primary = Some(vec![column.name.clone()]);
    } else if is_unique && column.required {
        draft.unique.get_or_insert(vec![column.name.clone()]);
    }
    let charset = draft.table.charset.clone();
    *draft.table.columns.get_mut(at)? = column.of_table(charset.as_deref());
    moved(words, draft, at)
}

fn renamed(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.skip("COLUMN") {
        words.skip_all(&["IF", "EXISTS"]);
        let at = draft.place(&words.identifier()?)?;
        words.skip("TO").then_some(())?;
        draft.table.columns.get_mut(at)?.name = words.identifier()?;
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
fn with_default(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    if words.is_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"]) {
        words.skip_clause();
        return Some(());
    }
    words.skip("COLUMN");
    words.skip_all(&["IF", "EXISTS"]);
    let at = draft.place(&words.identifier()?)?;
    let column = draft.table.columns.get_mut(at)?;
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
fn converted(words: &mut Words<'_>, draft: &mut Draft) -> Option<()> {
    let is_named = words.skip("CHARSET") || words.skip_all(&["CHARACTER", "SET"]);
    let name = is_named.then(|| charset(words))??;
    if name == "default" || name == "binary" {
        return None;
    }
    if words.skip("COLLATE") {
        words.skip_symbol('=');
        value(words)?;
    }
    let table = &mut draft.table;
    table.charset = Some(name.clone());
    for column in table.columns.iter_mut().filter(|column| column.is_text()) {
        column.charset_name = None;
        *column = std::mem::replace(column, column.clone()).of_table(Some(&name));
    }
    Some(())
}

#[cfg(test)]
mod tests;
