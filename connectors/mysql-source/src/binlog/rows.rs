//! Changed rows (`WRITE_ROWS_EVENT` and its siblings)
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html>).

use connect_core::Result;

use crate::{error, wire::Fields};

/// What happened to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// They were created.
    Insert,
    /// They were changed.
    Update,
    /// They were changed, and of JSON documents only the differences may be there (`binlog_row_value_options`).
    PartialUpdate,
    /// They were deleted.
    Delete,
}

/// Rows of one table.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The table, by the number that its table map has.
    pub table: u64,
    /// What happened to them.
    pub operation: Operation,
    /// Whether they are the last of their statement: its table maps are not valid any more.
    pub ends_statement: bool,
    /// How many columns the table has.
    pub columns: usize,
    /// Which columns the first image of a row has: that of a created or deleted row, or that before a change.
    pub first: &'a [u8],
    /// Which columns the image after a change has; empty for other rows.
    pub second: &'a [u8],
    /// The images, one after the other.
    pub data: &'a [u8],
    /// Whether MariaDB has compressed them.
    pub compressed: bool,
}

impl<'a> Rows<'a> {
    /// The images to read one row after the other, or an error when rows would never end: invariant 4.
    pub fn images(&self) -> Result<Fields<'a>> {
        if !self.data.is_empty() && self.has_no_column() {
            return Err(error::protocol("changed rows have bytes and no columns"));
        }
        Ok(Fields(self.data))
    }

    /// Whether there is a row behind so many that have been read, of whose images so much is left.
    ///
    /// With `binlog_row_image=MINIMAL` MySQL writes a row of nothing but defaults as no bytes at all, and refuses to write two.
    #[inline]
    pub fn has_more(&self, read: u64, left: &Fields<'_>) -> bool {
        let is_bare = || read == 0 && self.operation == Operation::Insert && self.has_no_column();
        !left.is_empty() || is_bare()
    }

    fn has_no_column(&self) -> bool {
        let mut images = [self.first, self.second].into_iter();
        images.all(|image| Image(image).count(self.columns) == 0)
    }
}

/// Which columns an image of a row has.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a>(pub &'a [u8]);

impl Image<'_> {
    /// Whether a column is there.
    #[inline]
    pub fn has(&self, column: usize) -> bool {
        let byte = self.0.get(column / 8).copied().unwrap_or_default();
        byte & (1 << (column % 8)) != 0
    }

    /// How many of the first columns are there.
    pub fn count(&self, columns: usize) -> usize {
        (0..columns).filter(|at| self.has(*at)).count()
    }
}

/// How the head of an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
    /// Version one, whose rows MariaDB has compressed.
    OneCompressed,
    /// Version two, the same.
    TwoCompressed,
}

const ENDS_STATEMENT: u16 = 1;

/// What the type of an event says of its rows; `None` for other types.
#[inline]
pub(super) fn operation(kind: u8) -> Option<(Operation, Version)> {
    use Operation::{Delete, Insert, PartialUpdate, Update};
    Some(match kind {
        23 => (Insert, Version::One),
        24 => (Update, Version::One),
        25 => (Delete, Version::One),
        30 => (Insert, Version::Two),
        31 => (Update, Version::Two),
        32 => (Delete, Version::Two),
        39 => (PartialUpdate, Version::Two),
        166 => (Insert, Version::OneCompressed),
        167 => (Update, Version::OneCompressed),
        168 => (Delete, Version::OneCompressed),
        169 => (Insert, Version::TwoCompressed),
        170 => (Update, Version::TwoCompressed),
        171 => (Delete, Version::TwoCompressed),
        _ => return None,
    })
}

#[inline]
pub(super) fn read(operation: Operation, version: Version, body: &[u8]) -> Result<Rows<'_>> {
    let mut fields = Fields(body);
    let table = fields.u48()?;
    let flags = fields.u16()?;
    if matches!(version, Version::Two | Version::TwoCompressed) {
        // A length that counts itself.
        let extra = usize::from(fields.u16()?).checked_sub(2);
        fields.bytes(
            extra.ok_or_else(|| error::protocol("an event of rows has an impossible head"))?,
        )?;
    }
    let columns = fields.len()?;
    let bitmap = columns.div_ceil(8);
    let first = fields.bytes(bitmap)?;
    let second = match operation {
        Operation::Update | Operation::PartialUpdate => fields.bytes(bitmap)?,
        Operation::Insert | Operation::Delete => &[],
    };
    Ok(Rows {
        table,
        operation,
        ends_statement: flags & ENDS_STATEMENT != 0,
        columns,
        first,
        second,
        data: fields.rest(),
        compressed: matches!(version, Version::OneCompressed | Version::TwoCompressed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_tells_table_and_columns() {
        let body = b"\x05\0\0\0\0\0\x01\0\x02\0\x03\x07\x05data";
        let (operation, version) = operation(31).unwrap();
        let rows = read(operation, version, body).unwrap();
        assert_eq!(
            (rows.table, rows.columns, rows.ends_statement),
            (5, 3, true)
        );
        let (before, after) = (Image(rows.first), Image(rows.second));
        assert_eq!((before.count(3), after.count(3)), (3, 2));
        assert!(after.has(0) && !after.has(1) && after.has(2) && !after.has(99));
        assert_eq!(rows.data, b"data");
        for end in 0..body.len() - 4 {
            assert!(read(operation, version, &body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn rows_of_no_column_have_no_bytes() {
        let images = |kind: u8, body: &[u8]| {
            let (operation, version) = operation(kind).unwrap();
            let rows = read(operation, version, body).unwrap();
            rows.images().map(|images| images.rest().to_vec())
        };
        // Bits behind the last column are none.
        let none = images(30, b"\x05\0\0\0\0\0\x01\0\x02\0\x03\xf8data");
        assert!(none.unwrap_err().to_string().contains("no columns"));
        assert!(images(31, b"\x05\0\0\0\0\0\x01\0\x02\0\x03\0\0data").is_err());
        // With an image that has columns a row has its nulls at least.
        for bits in [b"\x01\0", b"\0\x01"] {
            let head = b"\x05\0\0\0\0\0\x01\0\x02\0\x03".as_slice();
            let body = [head, bits, b"data"].concat();
            assert_eq!(images(31, &body).unwrap(), b"data");
        }
        assert!(
            images(30, b"\x05\0\0\0\0\0\x01\0\x02\0\x03\0")
                .unwrap()
                .is_empty()
        );
    }
}
