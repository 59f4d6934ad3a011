//! The SQL that reads a part of a table.

use cdc::snapshot::Range;

use super::{Planned, key::Key};
use crate::{convert::Op, shown};

/// Gives the rows of a range: columns in order, floats with all their digits, then what else the key needs; in the order of
/// keys if the range is one of keys.
pub(super) fn select(planned: &Planned, range: &Range) -> String {
    let (info, key) = (&planned.info, &planned.key);
    let compiled = &planned.table.columns;
    let is_read = |at: u16| {
        let column = compiled.get(usize::from(at));
        column.is_some_and(|column| column.op != Op::Skip)
    };
    let mut columns = shown::columns(info, is_read);
    for extra in &key.extra {
        columns.push_str(", ");
        columns.push_str(extra);
    }
    if let Some(select) = &info.select {
        return format!("SELECT {columns} FROM ({}) AS selected", in_order(select));
    }
    let mut sql = format!("SELECT {columns} FROM {}", info.sql_name());
    if let Range::Keys { .. } = range
        && !key.columns.is_empty()
    {
        let condition = condition(key, range);
        let by = format!("{}{condition} ORDER BY {}", key.hint(), key.names());
        sql.push_str(&by);
    }
    sql
}

/// ` WHERE …` of the rows of a range; empty for all rows.
pub(super) fn condition(key: &Key, range: &Range) -> String {
    let Range::Keys { after, upto } = range else {
        return String::new();
    };
    let bounds = [key.behind(after), key.upto(upto)];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    match bounds.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", bounds.join(" AND ")),
    }
}

/// MariaDB forgets the order of an inner query, unless that has a limit.
fn in_order(select: &str) -> String {
    let mut words = select.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    match words.any(|word| word.eq_ignore_ascii_case("limit")) {
        true => select.to_owned(),
        false => format!("{select} LIMIT {}", u64::MAX),
    }
}
