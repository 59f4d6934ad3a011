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
    fields.bytes(variables)?;
    let database = fields.bytes(database_len)?;
    fields.u8()?;
    Ok(Query {
        thread,
        database,
        sql: fields.rest(),
        compressed,
    })
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
        for end in 0..body.len() - 5 {
            assert!(read(false, &body[..end]).is_err(), "{end}");
        }
    }
}
