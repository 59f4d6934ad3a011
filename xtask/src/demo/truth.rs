//! A table, read with SQL: what a sink should hold.

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) form: Form,
}

/// How a value lies in JSON, and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A string, letter for letter.
    Text,
    /// A string of JSON, whose blanks may differ.
    Json,
    /// A number, digit for digit.
    Integer,
    /// A number; its text may differ, its 32 bits may not.
    Single,
    /// The same with 64 bits.
    Double,
    /// `true` or `false`.
    Bool,
    /// An array of strings, integers and nulls.
    Items,
}

/// All rows of a table as the sinks should have them.
pub(super) struct Truth {
    pub(super) table: String,
    pub(super) columns: Vec<Column>,
    /// What the client printed, a row in each line: the key, then the columns.
    pub(super) lines: String,
    /// Reads a line.
    pub(super) row: fn(&str) -> Row,
}

/// A row: its key, its columns' expected texts in order, `None` for null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) values: Vec<Option<String>>,
}

impl Truth {
    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        self.lines.lines().map(self.row)
    }
}

/// A value as both clients print it: special letters behind a backslash.
pub(super) fn unescaped(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => break,
            },
            plain => plain,
        };
        out.push(letter);
    }
    Some(out)
}
