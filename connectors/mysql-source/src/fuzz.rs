//! Bytes of a server without it: for fuzzing only, no part of the interface.

use connect_core::Result;

use crate::{
    binlog::{self, Event, Header, Image, Inflater, Metadata, Operation, Payload, Rows, TableMap},
    decimal, decode, error,
    layout::{Layout, Value},
    wire::Fields,
};

/// Every event of a seed has one.
const CHECKSUM: usize = 4;
/// The type of an event whose checksum is always known, and taken off.
const FORMAT: u8 = 15;

/// No compressed transaction of a fuzzer is read further than this.
const TRANSACTION_LIMIT: usize = 1 << 24;
/// No event and no value in one becomes longer.
const EVENT_LIMIT: usize = 1 << 20;

/// Reads events, one behind the other, and the values in their rows. Gives how many bytes of text they became.
pub fn events(bytes: &[u8]) -> Result<usize> {
    let (mut rest, mut layouts, mut written) = (bytes, Vec::new(), 0);
    while !rest.is_empty() {
        let header = binlog::header(rest)?;
        let cut = || error::protocol("an event is cut short");
        let (event, behind) = rest
            .split_at_checked(header.size as usize)
            .filter(|(event, _)| !event.is_empty())
            .ok_or_else(cut)?;
        rest = behind;
        // What is changed has another checksum, so that none is looked at.
        let body = binlog::body(event, &header, false)?;
        let len = match header.kind {
            FORMAT => body.len(),
            _ => body.len().saturating_sub(CHECKSUM),
        };
        let body = body.get(..len).unwrap_or_default();
        written += read(&header, body, &mut layouts)?;
    }
    Ok(written)
}

fn read(header: &Header, body: &[u8], layouts: &mut Vec<Layout>) -> Result<usize> {
    match binlog::event(header, body)? {
        Event::TableMap(map) => *layouts = columns(&map)?,
        Event::Rows(rows) => return values(&rows, layouts),
        Event::Gtid(gtid) => return Ok(gtid.id.map_or(0, |id| id.to_string().len())),
        _ => {}
    }
    Ok(0)
}

/// Reads a compressed transaction, and the values in its rows. Gives how many events it has.
pub fn payload(bytes: &[u8]) -> Result<usize> {
    let mut payload = Payload::new(EVENT_LIMIT)?;
    payload.begin(Header::default())?;
    let (mut input, mut layouts) = (bytes, Vec::new());
    let (mut count, mut bytes_read) = (0, 0);
    while let Some((header, body)) = payload.next(&mut input)? {
        read(&header, body, &mut layouts)?;
        count += 1;
        bytes_read += body.len();
        if bytes_read > TRANSACTION_LIMIT {
            return Ok(count);
        }
    }
    payload.end().map(|()| count)
}

/// Inflates what MariaDB has compressed: a part of an event behind a zero, a value behind another byte.
pub fn inflated(bytes: &[u8]) -> Result<usize> {
    let mut fields = Fields(bytes);
    let mut inflater = Inflater::new(EVENT_LIMIT);
    let plain = match fields.u8()? {
        0 => inflater.bytes(fields.rest())?,
        _ => inflater.column(fields.rest())?,
    };
    Ok(plain.len())
}

fn columns(map: &TableMap<'_>) -> Result<Vec<Layout>> {
    Metadata::of(map)?;
    Layout::of(map)
}

fn values(rows: &Rows<'_>, layouts: &[Layout]) -> Result<usize> {
    if rows.columns != layouts.len() || rows.compressed {
        return Ok(0);
    }
    // Rows of a rewind are passed without their values.
    decode::count(rows, layouts)?;
    let images = match rows.operation {
        Operation::Insert | Operation::Delete => [rows.first, &[]],
        Operation::Update => [rows.first, rows.second],
        Operation::PartialUpdate => return Ok(0),
    };
    let (mut data, mut written) = (rows.images()?, 0);
    while !data.is_empty() {
        for image in images.iter().filter(|image| !image.is_empty()) {
            written += row(Image(image), layouts, &mut data)?;
        }
    }
    Ok(written)
}

fn row(image: Image<'_>, layouts: &[Layout], data: &mut Fields<'_>) -> Result<usize> {
    let nulls = Image(data.bytes(image.count(layouts.len()).div_ceil(8))?);
    let (mut text, mut at) = (Vec::new(), 0);
    let columns = layouts.iter().enumerate();
    for (_, layout) in columns.filter(|(column, _)| image.has(*column)) {
        let is_null = nulls.has(at);
        at += 1;
        if is_null {
            continue;
        }
        match (layout.take(data)?, layout) {
            (Value::Decimal(bytes), Layout::Decimal { precision, scale }) => {
                decimal::push(bytes, *precision, *scale, &mut text)?;
            }
            (Value::Bytes(bytes), _) => text.extend_from_slice(bytes),
            _ => {}
        }
    }
    Ok(text.len())
}

/// Reads a binary JSON document. Gives its text.
pub fn document(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    crate::json::push(bytes, &mut text)?;
    Ok(text)
}

/// Reads a packed decimal behind its precision and scale. Gives its text.
pub fn number(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut fields = Fields(bytes);
    let (precision, scale) = (fields.u8()?, fields.u8()?);
    let mut text = Vec::new();
    if scale <= precision && precision <= decimal::MAX_PRECISION {
        decimal::push(fields.rest(), precision, scale, &mut text)?;
    }
    Ok(text)
}

/// Reads pieces of the compressed protocol. Gives how many bytes they became.
pub fn pieces(bytes: &[u8]) -> Result<usize> {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    crate::wire::read_compressed(rest, kind & 1 == 1)
}
