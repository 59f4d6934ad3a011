//! Statements (`QUERY_EVENT`).

use connect_core::Result;

use crate::wire::Fields;

/// A statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The connection that ran it, by its number.
    pub thread: u32,
    /// The database in which it ran; empty for none.
    pub database: &'a [u8],
    /// Its text, in the character set of its client.
    pub sql: &'a [u8],
    /// The session's `sql_mode`, as a set of bits; 0 when the event does not tell it.
    pub sql_mode: u64,
    /// Whether MariaDB has compressed the text.
    pub compressed: bool,
}

pub(super) fn read(compressed: bool, body: &[u8]) -> Result<Query<'_>> {
    let mut fields = Fields(body);
    let thread = fields.u32()?;
    fields.u32()?;
    let database_len = usize::from(fields.u8()?);
    fields.u16()?;
    let variables = usize::from(fields.u16()?);
    let sql_mode = sql_mode(fields.bytes(variables)?);
    let database = fields.bytes(database_len)?;
    fields.u8()?;
    Ok(Query {
        thread,
        database,
        sql: fields.rest(),
        sql_mode,
        compressed,
    })
}

/// `NO_BACKSLASH_ESCAPES` in an `sql_mode`.
pub const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// The mode among the variables of an event, of which it is the second: `Q_FLAGS2_CODE`, `Q_SQL_MODE_CODE`.
fn sql_mode(variables: &[u8]) -> u64 {
    let behind = match variables {
        [0, _, _, _, _, rest @ ..] => rest,
        others => others,
    };
    match behind {
        [1, mode @ ..] => mode
            .first_chunk()
            .map_or(0, |mode| u64::from_le_bytes(*mode)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_thread_and_database() {
        let body = b"\x07\0\0\0\0\0\0\0\x02\0\0\x03\0abcdb\0BEGIN";
        let query = read(false, body).unwrap();
        assert_eq!(
            (query.thread, query.database, query.sql),
            (7, &b"db"[..], &b"BEGIN"[..])
        );
        assert_eq!(
            sql_mode(b"\0\0\0\0\0\x01\0\0\x10\0\0\0\0\0"),
            NO_BACKSLASH_ESCAPES
        );
        assert_eq!(
            (sql_mode(b""), sql_mode(b"\x01\x02"), sql_mode(b"\x06")),
            (0, 0, 0)
        );
        for end in 0..body.len() - 5 {
            assert!(read(false, &body[..end]).is_err(), "{end}");
        }
    }
}
