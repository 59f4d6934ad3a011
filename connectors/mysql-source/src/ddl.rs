//! What a statement of the binlog does: to which tables, and of what kind. It is recognised by its first words, not parsed:
//! what a table looks like afterwards is asked of the server
//! (<https://dev.mysql.com/doc/refman/9.4/en/sql-data-definition-statements.html>,
//! <https://mariadb.com/kb/en/data-definition/>).

mod define;
pub(crate) mod evolve;
mod words;

use words::{Word, Words};

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A transaction begins.
    Begin,
    /// It is committed.
    Commit,
    /// It is undone.
    Rollback,
    /// A savepoint is set, released, or gone back to.
    Savepoint,
    /// A part of a transaction of `XA`.
    Xa(Xa),
    /// Tables are changed.
    Tables(Vec<Change>),
    /// A database is changed.
    Database(Kind, Option<String>),
    /// Rows are changed by the statement itself (`binlog_format=STATEMENT` or `MIXED`): of this table, where it is told at once.
    Rows(Option<Name>),
    /// Nothing that concerns tables with rows.
    Other,
}

/// A part of a transaction of `XA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Xa {
    /// `XA START`, `XA BEGIN`
    Start,
    /// `XA END`, `XA PREPARE`
    End,
    /// `XA COMMIT`
    Commit,
    /// `XA ROLLBACK`
    Rollback,
}

/// A changed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is done to it.
    pub kind: Kind,
    /// Its name before.
    pub table: Name,
    /// Its new name, where it gets one.
    pub to: Option<Name>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CREATE`
    Create,
    /// `ALTER`, and changes of indexes
    Alter,
    /// `DROP`
    Drop,
    /// `RENAME`
    Rename,
    /// `TRUNCATE`
    Truncate,
}

/// A table's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Its database; none for the statement's own.
    pub database: Option<String>,
    /// The table.
    pub table: String,
}

/// A statement without the comments before and behind it.
pub(crate) fn bare(sql: &str) -> &str {
    let sql = sql.trim();
    let mut words = Words::new(sql);
    let begin = sql.len() - words.left();
    let mut end = begin;
    while words.next().is_some() {
        end = sql.len() - words.left_raw();
    }
    sql.get(begin..end).unwrap_or(sql)
}

/// Whether it makes or drops an index by itself, without `ALTER TABLE`.
pub(crate) fn is_of_index(sql: &str) -> bool {
    let mut words = Words::new(sql);
    if words.skip("SET") && words.skip_behind("FOR").is_none() {
        return false;
    }
    words.is_any(&["CREATE", "DROP"])
}

/// The statements for each table alone, where one names several: of `RENAME TABLE` and `DROP TABLE`, with all before the names.
pub(crate) fn apart(sql: &str) -> (&str, Vec<&str>) {
    let mut words = Words::new(sql);
    while !words.skip("TABLE") && !words.skip("TABLES") {
        if !words.skip_any() {
            return (sql, Vec::new());
        }
    }
    words.skip_all(&["IF", "EXISTS"]);
    let mut begin = sql.len() - words.left();
    let prefix = sql.get(..begin).unwrap_or_default();
    let mut parts = Vec::new();
    loop {
        words.skip_clause();
        let end = sql.len() - words.left_raw();
        parts.push(sql.get(begin..end).unwrap_or_default().trim());
        if !words.skip_symbol(',') {
            return (prefix, parts);
        }
        begin = sql.len() - words.left();
    }
}

impl Statement {
    /// Of a text. One that makes no sense is [`Statement::Other`]: the server has obeyed it, so that it is not ours to judge.
    pub fn of(sql: &str) -> Self {
        // Nearly every transaction has the first of these.
        match sql {
            "BEGIN" => Self::Begin,
            "COMMIT" => Self::Commit,
            _ => recognised(&mut Words::new(sql)).unwrap_or(Self::Other),
        }
    }
}

fn recognised(words: &mut Words<'_>) -> Option<Statement> {
    let first = words.keyword()?;
    Some(match first.as_str() {
        "BEGIN" => Statement::Begin,
        "START" if words.skip("TRANSACTION") => Statement::Begin,
        "COMMIT" => Statement::Commit,
        "ROLLBACK" => {
            words.skip("WORK");
            match words.skip("TO") {
                true => Statement::Savepoint,
                false => Statement::Rollback,
            }
        }
        "SAVEPOINT" => Statement::Savepoint,
        "RELEASE" if words.skip("SAVEPOINT") => Statement::Savepoint,
        "XA" => Statement::Xa(xa(words)?),
        "CREATE" => create(words)?,
        "ALTER" => alter(words)?,
        "DROP" => drop_of(words)?,
        "RENAME" => rename(words)?,
        "TRUNCATE" => {
            words.skip("TABLE");
            one(Kind::Truncate, words.name()?, None)
        }
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "WITH" => Statement::Rows(written(words)),
        "LOAD" => {
            let table = words.skip_behind("TABLE").and_then(|()| words.name());
            Statement::Rows(table)
        }
        // MariaDB: variables for one statement.
        "SET" if words.skip("STATEMENT") => {
            words.skip_behind("FOR")?;
            recognised(words)?
        }
        _ => Statement::Other,
    })
}

/// The table behind `INSERT INTO`, `UPDATE` and the like.
fn written(words: &mut Words<'_>) -> Option<Name> {
    const BETWEEN: [&str; 7] = [
        "LOW_PRIORITY",
        "HIGH_PRIORITY",
        "DELAYED",
        "QUICK",
        "IGNORE",
        "INTO",
        "FROM",
    ];
    while BETWEEN.iter().any(|word| words.skip(word)) {}
    words.name()
}

fn one(kind: Kind, table: Name, to: Option<Name>) -> Statement {
    Statement::Tables(vec![Change { kind, table, to }])
}

fn xa(words: &mut Words<'_>) -> Option<Xa> {
    Some(match words.keyword()?.as_str() {
        "START" | "BEGIN" => Xa::Start,
        "END" | "PREPARE" => Xa::End,
        "COMMIT" => Xa::Commit,
        "ROLLBACK" => Xa::Rollback,
        _ => return None,
    })
}

fn create(words: &mut Words<'_>) -> Option<Statement> {
    words.skip_all(&["OR", "REPLACE"]);
    let is_temporary = words.skip("TEMPORARY");
    Some(match words.keyword()?.as_str() {
        "TABLE" => {
            words.skip_all(&["IF", "NOT", "EXISTS"]);
            let table = words.name()?;
            match is_temporary {
                true => Statement::Other,
                false => one(Kind::Create, table, None),
            }
        }
        "DATABASE" | "SCHEMA" => {
            words.skip_all(&["IF", "NOT", "EXISTS"]);
            Statement::Database(Kind::Create, words.identifier())
        }
        "UNIQUE" | "FULLTEXT" | "SPATIAL" | "VECTOR" if words.skip("INDEX") => of_index(words)?,
        "INDEX" => of_index(words)?,
        _ => Statement::Other,
    })
}

/// The table behind `ON`.
fn of_index(words: &mut Words<'_>) -> Option<Statement> {
    words.skip_behind("ON")?;
    Some(one(Kind::Alter, words.name()?, None))
}

fn alter(words: &mut Words<'_>) -> Option<Statement> {
    for option in ["ONLINE", "OFFLINE", "IGNORE"] {
        words.skip(option);
    }
    Some(match words.keyword()?.as_str() {
        "TABLE" => {
            words.skip_all(&["IF", "EXISTS"]);
            let table = words.name()?;
            let to = new_name(words);
            one(Kind::Alter, table, to)
        }
        "DATABASE" | "SCHEMA" => Statement::Database(Kind::Alter, words.identifier()),
        _ => Statement::Other,
    })
}

/// `RENAME [TO | AS | =] name` among the clauses of an `ALTER TABLE`; the last one counts.
fn new_name(words: &mut Words<'_>) -> Option<Name> {
    let mut name = None;
    let mut begins = true;
    while let Some(word) = words.next_outside() {
        if begins && word.is("RENAME") && !words.is_any(&["COLUMN", "INDEX", "KEY", "CONSTRAINT"]) {
            if !words.skip("TO") && !words.skip("AS") {
                words.skip_symbol('=');
            }
            name = words.name().or(name);
        }
        begins = word == Word::Symbol(',');
        // `WAIT 5`, `NOWAIT` stand before the first clause (MariaDB).
        begins |= word.is("NOWAIT") || word.is("WAIT") && words.skip_any();
    }
    name
}

fn drop_of(words: &mut Words<'_>) -> Option<Statement> {
    let is_temporary = words.skip("TEMPORARY");
    Some(match words.keyword()?.as_str() {
        "TABLE" | "TABLES" => {
            words.skip_all(&["IF", "EXISTS"]);
            let changes = changes(words, |words| {
                let table = words.name()?;
                Some(Change {
                    kind: Kind::Drop,
                    table,
                    to: None,
                })
            })?;
            match is_temporary {
                true => Statement::Other,
                false => Statement::Tables(changes),
            }
        }
        "DATABASE" | "SCHEMA" => {
            words.skip_all(&["IF", "EXISTS"]);
            Statement::Database(Kind::Drop, words.identifier())
        }
        "INDEX" => of_index(words)?,
        _ => Statement::Other,
    })
}

fn rename(words: &mut Words<'_>) -> Option<Statement> {
    if !words.skip("TABLE") && !words.skip("TABLES") {
        return Some(Statement::Other);
    }
    words.skip_all(&["IF", "EXISTS"]);
    let changes = changes(words, |words| {
        let table = words.name()?;
        if words.skip("WAIT") {
            words.skip_any();
        }
        words.skip("NOWAIT");
        let to = words.skip("TO").then(|| words.name())??;
        Some(Change {
            kind: Kind::Rename,
            table,
            to: Some(to),
        })
    })?;
    Some(Statement::Tables(changes))
}

/// What stands between commas.
fn changes<'a>(
    words: &mut Words<'a>,
    mut change: impl FnMut(&mut Words<'a>) -> Option<Change>,
) -> Option<Vec<Change>> {
    let mut changes = vec![change(words)?];
    while words.skip_symbol(',') {
        changes.push(change(words)?);
    }
    Some(changes)
}

#[cfg(test)]
mod tests;
