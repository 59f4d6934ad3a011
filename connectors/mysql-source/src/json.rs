//! MySQL's binary JSON as text, as Debezium writes it: without blanks, members in the server's order.
//!
//! Format: `json_binary.h` of the server. Three things differ from Debezium on purpose, since what it writes is not what the
//! server holds: negative times, unsigned numbers of 32 bits, and those in documents beyond 64 KiB.

mod binary;
mod diff;
mod text;

use connect_core::{Batch, Cell, Result};

use crate::error;
use binary::{Container, Value};

/// The server nests no deeper than a hundred.
const DEPTH: usize = 100;

/// The cell of a document: its text, in the batch's arena. One of no bytes, which the server has for null, is `{}`.
pub fn cell(document: &[u8], out: &mut Batch) -> Result<Cell> {
    let at = out.arena().len();
    let pushed = push(document, out.arena());
    if pushed.is_err() {
        out.arena().truncate(at);
    }
    pushed.map(|()| out.made_since(at))
}

/// Appends the text of a document.
pub fn push(document: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if document.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    let mut budget = Budget(document.len());
    let root = Value::root(document).ok_or_else(malformed)?;
    push_value(root, DEPTH, &mut budget, out).ok_or_else(malformed)
}

/// Appends the text of a document after the changes that `binlog_row_value_options=PARTIAL_JSON` wrote instead of it.
pub fn push_changed(before: &[u8], diffs: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let broken = || error::value("a partial change does not fit the JSON document before it");
    let changed = diff::changed(before, diffs).ok_or_else(broken)?;
    changed.push(out).ok_or_else(malformed)
}

/// Bytes of a document that may still be read. No two of its values share bytes, so that text is never much longer than it;
/// without this, a few bytes could stand for text without end.
struct Budget(usize);

impl Budget {
    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

fn push_value(
    value: Value<'_>,
    depth: usize,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Option<()> {
    match value {
        Value::Object(of) => push_container(of, depth.checked_sub(1)?, budget, out),
        Value::Array(of) => push_container(of, depth.checked_sub(1)?, budget, out),
        Value::Text(bytes) => {
            budget.spend(bytes.len())?;
            text::push_string(bytes, out);
            Some(())
        }
        Value::Opaque(_, bytes) => {
            budget.spend(bytes.len())?;
            text::push_scalar(value, out)
        }
        scalar => text::push_scalar(scalar, out),
    }
}

fn push_container(
    of: Container<'_>,
    depth: usize,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Option<()> {
    out.push(if of.is_object { b'{' } else { b'[' });
    for at in 0..of.count {
        if at > 0 {
            out.push(b',');
        }
        budget.spend(Container::LEAST)?;
        if of.is_object {
            let name = of.name(at)?;
            budget.spend(name.len())?;
            text::push_string(name, out);
            out.push(b':');
        }
        push_value(of.value(at)?, depth, budget, out)?;
    }
    out.push(if of.is_object { b'}' } else { b']' });
    Some(())
}

#[cold]
fn malformed() -> connect_core::Error {
    error::value("a JSON document is malformed")
}

#[cfg(test)]
mod tests;
