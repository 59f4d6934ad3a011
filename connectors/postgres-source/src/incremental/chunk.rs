//! The rows of a table behind a key, so many at a time.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use cdc::java::{Part, uuid_bits};
use connect_core::Result;

use crate::{
    captured::Captured,
    catalog::{ColumnInfo, TableInfo, literal, quoted},
    convert::Op,
    copy, error,
    relations::Table,
    types::oid,
    wire::{Connection, server_error},
};

/// Invariant 4: a chunk holds no more than this, unless a single row is larger.
const CHUNK_BYTES: usize = 4 << 20;

/// In which order a table is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The columns, and their places in the row.
    columns: Vec<(u16, ColumnInfo)>,
    /// Whether no two rows are equal in them.
    is_unique: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The rows as COPY wrote them, end to end.
    pub lines: Bytes,
    /// Where each lies.
    pub rows: Vec<Range<usize>>,
    /// Whether there were more rows than fit.
    pub is_cut: bool,
}

impl Order {
    /// By a surrogate key, the configured key, or the table's own; `None` when there is none. The error names a column
    /// that does not exist.
    pub(super) fn of(
        info: &TableInfo,
        captured: &Captured,
        surrogate: Option<&str>,
    ) -> Result<Option<Self>, String> {
        let configured = captured.key(&info.schema, &info.name);
        let names: Vec<&str> = match (surrogate, configured) {
            (Some(name), _) => vec![name],
            (None, Some(names)) => names.iter().map(String::as_str).collect(),
            (None, None) => info.key.iter().map(String::as_str).collect(),
        };
        let mut columns = Vec::new();
        for name in names {
            let same = |column: &&ColumnInfo| column.name == name;
            let found = (0u16..).zip(&info.columns).find(|(_, c)| same(c));
            let (place, column) = found.ok_or_else(|| name.to_owned())?;
            columns.push((place, column.clone()));
        }
        let is_own = surrogate.is_none() && configured.is_none();
        let is_unique = is_own && columns.iter().all(|(_, column)| column.required);
        Ok((!columns.is_empty()).then_some(Self { columns, is_unique }))
    }

    /// The places of its columns in a row.
    pub(super) fn places(&self) -> Vec<u16> {
        self.columns.iter().map(|(place, _)| *place).collect()
    }

    /// The key of a row out of its texts.
    pub(super) fn key(&self, texts: Vec<Option<Vec<u8>>>) -> Vec<Part> {
        let part = |((_, column), text): (&(u16, ColumnInfo), Option<Vec<u8>>)| {
            let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
            text.map_or(Part::Null, |text| part(column.type_oid, text))
        };
        self.columns.iter().zip(texts).map(part).collect()
    }

    fn list(&self, direction: &str) -> String {
        let names = (self.columns.iter()).map(|(_, c)| format!("{}{direction}", quoted(&c.name)));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The rows behind a key. Nulls come last.
    fn after(&self, key: &[Part]) -> String {
        let value =
            |column: &ColumnInfo, text: &str| format!("{}::{}", literal(text), column.type_name);
        let parts: Vec<(&ColumnInfo, Option<String>)> = (self.columns.iter().zip(key))
            .map(|((_, column), part)| (column, part.text()))
            .collect();
        if parts
            .iter()
            .all(|(column, text)| column.required && text.is_some())
        {
            let values = parts
                .iter()
                .filter_map(|(c, text)| Some(value(c, text.as_ref()?)));
            let values: Vec<String> = values.collect();
            return format!("({}) > ({})", self.list(""), values.join(", "));
        }
        let mut cases = Vec::new();
        for (at, (column, text)) in parts.iter().enumerate() {
            let name = quoted(&column.name);
            // Nothing is behind null.
            let Some(text) = text else { continue };
            let mut case: Vec<String> = (parts.iter().take(at))
                .map(|(column, text)| match text {
                    Some(text) => format!("{} = {}", quoted(&column.name), value(column, text)),
                    None => format!("{} IS NULL", quoted(&column.name)),
                })
                .collect();
            let value = value(column, text);
            case.push(format!("({name} > {value} OR {name} IS NULL)"));
            cases.push(format!("({})", case.join(" AND ")));
        }
        match cases.is_empty() {
            true => "FALSE".to_owned(),
            false => format!("({})", cases.join(" OR ")),
        }
    }
}

/// In Debezium's offsets a key has Java's types, as its driver reads them.
fn part(type_oid: u32, text: String) -> Part {
    match type_oid {
        oid::INT2 | oid::INT4 => text.parse().map(Part::Int).ok(),
        oid::INT8 | oid::OID => text.parse().map(Part::Long).ok(),
        oid::UUID => uuid_bits(&text).map(Part::Uuid),
        oid::BOOL => Some(Part::Bool(text == "t")),
        oid::FLOAT4 => text.parse().map(f32::to_bits).map(Part::Float).ok(),
        oid::FLOAT8 => text.parse().map(f64::to_bits).map(Part::Double).ok(),
        oid::NUMERIC => Some(Part::Decimal(text.clone())),
        oid::DATE => Part::date(&text),
        oid::BYTEA => Part::bytes(&text),
        // The driver gives times and timestamps as texts.
        _ => None,
    }
    .unwrap_or(Part::Text(text))
}

/// The largest key; `None` for a table without rows.
pub(super) async fn maximum(
    connection: &mut Connection,
    info: &TableInfo,
    order: &Order,
    condition: Option<&str>,
) -> Result<Option<Vec<Part>>> {
    let sql = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT 1",
        order.list(""),
        info.sql_name(),
        filter(&[], condition),
        order.list(" DESC"),
    );
    let rows = connection.query(&sql).await?;
    let bytes = |text: Option<String>| text.map(String::into_bytes);
    let key = |row: Vec<Option<String>>| order.key(row.into_iter().map(bytes).collect());
    Ok(rows.into_iter().next().map(key))
}

/// The next rows: behind `last`, not behind `maximum`.
pub(super) async fn read(
    connection: &mut Connection,
    (info, table): (&TableInfo, &Table),
    order: &Order,
    (last, maximum): (Option<&[Part]>, &[Part]),
    (condition, limit): (Option<&str>, u64),
) -> Result<Chunk> {
    let bounds: Vec<String> = match last {
        None => Vec::new(),
        Some(last) => vec![order.after(last), format!("NOT ({})", order.after(maximum))],
    };
    // Rows that are equal in a key that is none must not be torn apart.
    let limit = match order.is_unique || connection.server_version() < 13 {
        true => format!("LIMIT {limit}"),
        false => format!("FETCH FIRST {limit} ROWS WITH TIES"),
    };
    let places = order.places();
    let columns: Vec<String> = (0u16..)
        .zip(info.columns.iter().zip(&table.columns))
        .map(|(at, (column, compiled))| match compiled.op {
            Op::Skip if !places.contains(&at) => "NULL".to_owned(),
            _ => quoted(&column.name),
        })
        .collect();
    let sql = format!(
        "COPY (SELECT {} FROM {}{} ORDER BY {} {limit}) TO STDOUT",
        columns.join(", "),
        info.sql_name(),
        filter(&bounds, condition),
        order.list(""),
    );
    connection.copy_out(&sql).await?;
    let mut chunk = collect(connection).await?;
    if chunk.is_cut && !order.is_unique {
        keep_whole_keys(&mut chunk, order)?;
    }
    Ok(chunk)
}

fn filter(bounds: &[String], condition: Option<&str>) -> String {
    let condition = condition.map(|condition| format!("({condition})"));
    let all: Vec<&str> = (bounds.iter().chain(&condition))
        .map(String::as_str)
        .collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", all.join(" AND ")),
    }
}

async fn collect(connection: &mut Connection) -> Result<Chunk> {
    let (mut lines, mut rows) = (BytesMut::new(), Vec::new());
    let (mut is_cut, mut failed) = (false, None);
    loop {
        let (tag, body) = connection.frames().next().await?;
        match tag {
            b'd' if rows.is_empty() || lines.len() + body.len() <= CHUNK_BYTES && !is_cut => {
                let start = lines.len();
                lines.extend_from_slice(&body);
                rows.push(start..lines.len());
            }
            b'd' => is_cut = true,
            b'E' => failed = Some(server_error(&body)),
            b'Z' => break,
            _ => {}
        }
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Chunk {
            lines: lines.freeze(),
            rows,
            is_cut,
        }),
    }
}

/// Of rows that are equal in a key that is none, either all are in the chunk or none.
fn keep_whole_keys(chunk: &mut Chunk, order: &Order) -> Result<()> {
    let places = order.places();
    let key = |row: &Range<usize>| {
        let line = chunk.lines.get(row.clone()).unwrap_or(&[]);
        copy::texts_or_null(line, &places)
    };
    let torn = chunk.rows.last().map(key);
    let whole = chunk.rows.iter().rposition(|row| Some(key(row)) != torn);
    let Some(whole) = whole else {
        let what = "too many rows of a table are equal in the key that orders them";
        return Err(connect_core::Error::new(&error::QUERY, what));
    };
    chunk.rows.truncate(whole + 1);
    Ok(())
}
