//! What the server answers to a simple query.

use bytes::Bytes;
use connect_core::Result;

use super::Frames;
use crate::error::{self, ServerError};

/// A row as text; `None` for null.
pub type Row = Vec<Option<String>>;

/// Access to the columns of a [`Row`] by place. A column that is not there reads as empty.
pub trait Answer {
    /// The text; empty for null.
    fn text(&self, at: usize) -> &str;
    /// Whether it is `t`.
    fn is_true(&self, at: usize) -> bool {
        self.text(at) == "t"
    }
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

/// All rows until the server is ready again; an error of the server is given after that.
pub(super) async fn rows(frames: &mut Frames) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut failed = None;
    loop {
        let (tag, body) = frames.next().await?;
        match tag {
            b'D' => rows.push(row(&body)?),
            b'E' => {
                let error = server_error(&body);
                // After FATAL and PANIC nothing follows.
                if error.severity != "ERROR" {
                    return Err(error.into());
                }
                failed = Some(error);
            }
            b'N' => notice(&body),
            b'Z' => return failed.map_or(Ok(rows), |error| Err(error.into())),
            _ => {}
        }
    }
}

/// Waits for a message of a kind; an error of the server ends the wait, and leaves the connection ready.
pub(super) async fn expect(frames: &mut Frames, wanted: u8) -> Result<()> {
    let mut failed = None;
    loop {
        let (tag, body) = frames.next().await?;
        match tag {
            tag if tag == wanted => return Ok(()),
            b'E' => {
                let error = server_error(&body);
                if error.severity != "ERROR" {
                    return Err(error.into());
                }
                failed = Some(error);
            }
            b'N' => notice(&body),
            b'Z' => {
                return Err(match failed {
                    Some(error) => error.into(),
                    None => error::protocol("the server answered a command with something else"),
                });
            }
            _ => {}
        }
    }
}

fn row(body: &Bytes) -> Result<Row> {
    let broken = || error::protocol("a row of the server is cut short");
    let (count, mut rest) = body.split_first_chunk::<2>().ok_or_else(broken)?;
    let mut row = Row::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (len, after) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        rest = after;
        row.push(match i32::from_be_bytes(*len) {
            -1 => None,
            len => {
                let len = usize::try_from(len).map_err(|_| broken())?;
                let (text, after) = rest.split_at_checked(len).ok_or_else(broken)?;
                rest = after;
                Some(String::from_utf8_lossy(text).into_owned())
            }
        });
    }
    Ok(row)
}

/// The fields of an ErrorResponse or NoticeResponse.
pub(crate) fn server_error(body: &[u8]) -> ServerError {
    let mut error = ServerError::default();
    for field in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else {
            continue;
        };
        let text = || String::from_utf8_lossy(text).into_owned();
        match kind {
            b'V' => error.severity = text(),
            b'S' if error.severity.is_empty() => error.severity = text(),
            b'C' => error.state = text(),
            b'M' => error.message = text(),
            b'D' => error.detail = text(),
            b'H' => error.hint = text(),
            _ => {}
        }
    }
    error
}

/// Notices go to the log, but for one: PostgreSQL 18 passes over changes that were written while their publication was
/// missing, and only warns (`LoadPublications`); older ones fail.
pub(crate) fn streamed_notice(body: &[u8]) -> Result<()> {
    notice(body);
    let notice = server_error(body);
    if notice.state == "55000" && notice.severity == "WARNING" {
        return Err(error::publication_gap(notice));
    }
    Ok(())
}

/// Notices go to the log.
pub(crate) fn notice(body: &[u8]) {
    let notice = server_error(body);
    tracing::debug!(state = %notice.state, message = %notice.message, "notice of the server");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_field_by_field() {
        let error = server_error(b"SFEHLER\0VERROR\0C42P01\0Mno such table\0Hmake one\0\0");
        assert_eq!(error.severity, "ERROR");
        assert_eq!(
            (error.state.as_str(), error.hint.as_str()),
            ("42P01", "make one")
        );
    }

    #[test]
    fn rows_have_text_and_nulls_and_every_prefix_fails_politely() {
        let bytes = b"\0\x02\0\0\0\x02hi\xff\xff\xff\xff";
        let whole = row(&Bytes::from_static(bytes)).unwrap();
        assert_eq!(whole, [Some("hi".to_owned()), None]);
        assert_eq!(
            (whole.text(0), whole.text(1), whole.text(7)),
            ("hi", "", "")
        );
        for end in 0..bytes.len() {
            assert!(row(&Bytes::copy_from_slice(&bytes[..end])).is_err());
        }
    }
}
