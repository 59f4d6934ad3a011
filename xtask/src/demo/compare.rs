//! Compares a sink with the tables, row by row and column by column.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::{
    Result,
    mirror::{Document, Mirror},
    truth::{Column, Form, Row, Truth},
};

/// Rows asked for at once; the largest have 60 kB.
const ROWS_AT_ONCE: usize = 200;
/// Differences that are kept to be shown, of each table in each sink.
const SHOWN: usize = 5;
const LONGEST: usize = 80;

/// What the comparison of one table in one sink found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    /// Rows of the table that the sink holds as they are.
    pub(super) equal: u64,
    /// Rows that it holds with other content.
    pub(super) different: u64,
    /// Rows that it does not hold.
    pub(super) missing: u64,
    /// Rows that it holds and the table does not.
    pub(super) extra: u64,
    /// The first differences in words.
    pub(super) examples: Vec<String>,
}

impl Finding {
    /// Whether the sink is the table.
    pub(super) fn is_clean(&self) -> bool {
        self.different == 0 && self.missing == 0 && self.extra == 0
    }

    fn example(&mut self, words: impl FnOnce() -> String) {
        if self.examples.len() < SHOWN {
            self.examples.push(words());
        }
    }
}

/// Findings by table.
pub(super) type Findings = BTreeMap<String, Finding>;

/// Compares all rows of a table with the sink, and adds its keys to `known`.
pub(super) fn rows(
    truth: &Truth,
    mirror: &mut dyn Mirror,
    known: &mut HashSet<(String, String)>,
) -> Result<Finding> {
    let mut finding = Finding::default();
    let mut rows = truth.rows();
    loop {
        let some: Vec<Row> = rows.by_ref().take(ROWS_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(finding);
        }
        let keys: Vec<&str> = some.iter().map(|row| row.key.as_str()).collect();
        let held = mirror.fetch(&truth.table, &keys)?;
        if held.len() != some.len() {
            return Err(format!("{} answered for other rows than asked", mirror.name()).into());
        }
        for (row, document) in some.into_iter().zip(held) {
            one(
                &truth.columns,
                &row,
                document,
                mirror.is_plain(),
                &mut finding,
            );
            known.insert((truth.table.clone(), row.key));
        }
    }
}

/// Counts what the sink holds beyond the known keys.
pub(super) fn extra(
    mirror: &mut dyn Mirror,
    known: &HashSet<(String, String)>,
    findings: &mut Findings,
) -> Result<()> {
    // A set: a scan may name a key twice.
    let held: HashSet<(String, String)> = mirror.keys()?.into_iter().collect();
    for (table, key) in held.difference(known) {
        let finding = findings.entry(table.clone()).or_default();
        finding.extra += 1;
        finding.example(|| format!("{key}: the table has no such row"));
    }
    Ok(())
}

fn one(
    columns: &[Column],
    row: &Row,
    document: Option<Document>,
    plain: bool,
    finding: &mut Finding,
) {
    let key = &row.key;
    let Some(mut document) = document else {
        finding.missing += 1;
        finding.example(|| format!("{key} is missing"));
        return;
    };
    let mut wrong = Vec::new();
    for (column, expected) in columns.iter().zip(&row.values) {
        let found = document.remove(&column.name);
        if !same(column.form, expected.as_deref(), found.as_ref(), plain) {
            let expected = expected.as_deref().unwrap_or("null");
            let found = found.map_or("nothing".to_owned(), |value| value.to_string());
            wrong.push(format!(
                "{key}: {} should be {}, and is {}",
                column.name,
                cut(expected),
                cut(&found)
            ));
        }
    }
    for (name, value) in document {
        wrong.push(format!(
            "{key}: {name} is no column, and is {}",
            cut(&value.to_string())
        ));
    }
    if wrong.is_empty() {
        finding.equal += 1;
        return;
    }
    finding.different += 1;
    wrong
        .into_iter()
        .for_each(|words| finding.example(|| words));
}

/// Whether a value is what it should be.
fn same(form: Form, expected: Option<&str>, found: Option<&Value>, plain: bool) -> bool {
    let (expected, found) = match (expected, found) {
        (None, None) => return true,
        (None, Some(found)) => return found.is_null() && !plain,
        (Some(_), None | Some(Value::Null)) => return false,
        (Some(expected), Some(found)) => (expected, found),
    };
    let text = match (form, found, plain) {
        (Form::Items, Value::String(text), true) => return items(expected, text),
        (Form::Items, Value::Array(_), false) => return items(expected, &found.to_string()),
        (_, Value::String(text), true) | (Form::Text | Form::Json, Value::String(text), false) => {
            text.clone()
        }
        (Form::Integer | Form::Single | Form::Double, Value::Number(number), false) => {
            number.to_string()
        }
        (Form::Bool, Value::Bool(bool), false) => bool.to_string(),
        _ => return false,
    };
    match form {
        Form::Single => bits::<f32, _>(expected, &text, f32::to_bits),
        Form::Double => bits::<f64, _>(expected, &text, f64::to_bits),
        Form::Json => items(expected, &text),
        _ => expected == text,
    }
}

fn bits<F: std::str::FromStr, B: PartialEq>(a: &str, b: &str, bits: fn(F) -> B) -> bool {
    match (a.parse::<F>(), b.parse::<F>()) {
        (Ok(a), Ok(b)) => bits(a) == bits(b),
        _ => false,
    }
}

fn items(a: &str, b: &str) -> bool {
    let read = serde_json::from_str::<Value>;
    matches!((read(a), read(b)), (Ok(a), Ok(b)) if a == b)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
