//! What the server answers to a query
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html>).

use connect_core::Result;

use super::{Fields, Packets};
use crate::error::{self, ServerError};

/// A row as text; `None` for null.
pub type Row = Vec<Option<String>>;

/// Access to the columns of a [`Row`] by place. A column that is not there reads as empty.
pub trait Answer {
    /// The text; empty for null.
    fn text(&self, at: usize) -> &str;
    /// A number; `None` for null and everything that is none.
    fn number<N: std::str::FromStr>(&self, at: usize) -> Option<N> {
        self.text(at).parse().ok()
    }
}

impl Answer for Row {
    fn text(&self, at: usize) -> &str {
        self.get(at).and_then(Option::as_deref).unwrap_or_default()
    }
}

/// How an answer begins.
pub(super) enum Reply {
    /// There are no rows.
    Done,
    /// Rows of so many columns follow.
    Columns(usize),
}

/// Null in a row of the text protocol.
const NULL: u8 = 0xfb;
const OK: u8 = 0x00;
const ERROR: u8 = 0xff;
const END: u8 = 0xfe;
/// An end is shorter than this; a row may begin with the same byte, and is longer then than any that has no large value.
const END_LIMIT: usize = 0xff_ffff;
/// What a query for a local file begins with.
const LOCAL_FILE: u8 = 0xfb;

/// The values of a row of the text protocol, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct RowValues<'a>(Fields<'a>);

impl<'a> RowValues<'a> {
    /// Of a row's payload.
    pub fn new(payload: &'a [u8]) -> Self {
        Self(Fields(payload))
    }

    /// The next value; `None` for null.
    #[inline]
    pub fn value(&mut self) -> Result<Option<&'a [u8]>> {
        if self.0.0.first() == Some(&NULL) {
            self.0.u8()?;
            return Ok(None);
        }
        self.0.lenenc_bytes().map(Some)
    }

    /// Whether there are no more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a packet is the end of rows; fails when it is an error of the server.
#[inline]
pub fn is_end(payload: &[u8]) -> Result<bool> {
    match payload.first() {
        Some(&END) => Ok(payload.len() < END_LIMIT),
        Some(&ERROR) => Err(server_error(payload).into()),
        _ => Ok(false),
    }
}

/// All rows of an answer.
pub(super) async fn rows(packets: &mut Packets) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let Reply::Columns(count) = head(packets).await? else {
        return Ok(rows);
    };
    loop {
        let payload = packets.next().await?;
        if is_end(&payload)? {
            return Ok(rows);
        }
        rows.push(row(&payload, count)?);
    }
}

/// The beginning of an answer, up to its rows. What the columns are is known to whoever asked.
pub(super) async fn head(packets: &mut Packets) -> Result<Reply> {
    let payload = packets.next().await?;
    match payload.first() {
        Some(&OK) => return Ok(Reply::Done),
        Some(&ERROR) => return Err(server_error(&payload).into()),
        Some(&LOCAL_FILE) => return Err(error::protocol("the server asks for a local file")),
        _ => {}
    }
    let count = Fields(&payload).len()?;
    for _ in 0..count {
        packets.next().await?;
    }
    Ok(Reply::Columns(count))
}

fn row(payload: &[u8], count: usize) -> Result<Row> {
    let mut values = RowValues::new(payload);
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    (0..count).map(|_| Ok(values.value()?.map(text))).collect()
}

/// Code, SQLSTATE and message of an error packet.
pub(crate) fn server_error(payload: &[u8]) -> ServerError {
    let mut fields = Fields(payload);
    let _ = fields.u8();
    let code = fields.u16().unwrap_or_default();
    let state = match fields.0.first() {
        Some(b'#') => fields.bytes(6).ok().and_then(|state| state.get(1..)),
        _ => None,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ServerError {
        code,
        state: state.map(text).unwrap_or_default(),
        message: text(fields.rest()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_code_state_and_message() {
        let error = server_error(b"\xff\x15\x04#28000Access denied");
        assert_eq!((error.code, error.state.as_str()), (1045, "28000"));
        assert_eq!(error.message, "Access denied");
        assert_eq!(server_error(b"\xff\x10\x04Too many").message, "Too many");
        for end in 0..9 {
            server_error(&b"\xff\x15\x04#28000"[..end]);
        }
    }

    #[test]
    fn rows_have_texts_and_nulls_and_every_prefix_fails_politely() {
        let bytes = b"\x02hi\xfb\0";
        let whole = row(bytes, 3).unwrap();
        assert_eq!(whole, [Some("hi".to_owned()), None, Some(String::new())]);
        assert_eq!(
            (whole.text(0), whole.text(1), whole.text(7)),
            ("hi", "", "")
        );
        for end in 0..bytes.len() {
            assert!(row(&bytes[..end], 3).is_err());
        }
    }
}
