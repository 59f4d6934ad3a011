//! What a table looked like when its rows were written (`TABLE_MAP_EVENT`)
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html>).

use connect_core::Result;

use crate::{error, wire::Fields};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableMap<'a> {
    /// The number by which rows name it.
    pub id: u64,
    /// Its database.
    pub database: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The types of its columns, one byte each.
    pub types: &'a [u8],
    /// More of the types, as long for each as its type says.
    pub metadata: &'a [u8],
    /// Which columns may be null.
    pub nullable: &'a [u8],
    /// With `binlog_row_metadata`, names and more; empty without.
    pub optional: &'a [u8],
}

pub(super) fn read(body: &[u8]) -> Result<TableMap<'_>> {
    let mut fields = Fields(body);
    let id = fields.u48()?;
    fields.u16()?;
    let database = name(&mut fields)?;
    let table = name(&mut fields)?;
    let columns = fields.len()?;
    let types = fields.bytes(columns)?;
    let metadata = fields.lenenc_bytes()?;
    let nullable = fields.bytes(columns.div_ceil(8))?;
    Ok(TableMap {
        id,
        database,
        name: table,
        types,
        metadata,
        nullable,
        optional: fields.rest(),
    })
}

fn name<'a>(fields: &mut Fields<'a>) -> Result<&'a str> {
    let len = usize::from(fields.u8()?);
    let text = fields.bytes(len)?;
    fields.u8()?;
    std::str::from_utf8(text).map_err(|_| error::protocol("the name of a table is not UTF-8"))
}

/// What `binlog_row_metadata` adds, as far as it is there (`Optional_metadata_fields`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// A bit for each numeric column, highest first: whether it is unsigned.
    pub unsigned: &'a [u8],
    /// The collation of most text columns, then place among them and collation of the others.
    pub default_charset: &'a [u8],
    /// The collations of all text columns.
    pub charsets: &'a [u8],
    /// The names of the columns.
    pub names: &'a [u8],
    /// The members of `SET` columns.
    pub sets: &'a [u8],
    /// The members of `ENUM` columns.
    pub enums: &'a [u8],
    /// The kinds of geometric columns.
    pub geometries: &'a [u8],
    /// The columns of the primary key.
    pub key: &'a [u8],
    /// The same with lengths of prefixes.
    pub prefixed_key: &'a [u8],
    /// As `default_charset`, of `ENUM` and `SET` columns.
    pub default_member_charset: &'a [u8],
    /// As `charsets`, of `ENUM` and `SET` columns.
    pub member_charsets: &'a [u8],
    /// A bit for each column, highest first: whether it is visible.
    pub visible: &'a [u8],
    /// The dimensions of vector columns.
    pub dimensions: &'a [u8],
}

impl<'a> Metadata<'a> {
    /// Reads it. What is not known is passed over.
    pub fn of(map: &TableMap<'a>) -> Result<Self> {
        let mut metadata = Self::default();
        let mut fields = Fields(map.optional);
        while !fields.is_empty() {
            let kind = fields.u8()?;
            let value = fields.lenenc_bytes()?;
            if let Some(part) = metadata.part(kind) {
                *part = value;
            }
        }
        Ok(metadata)
    }

    fn part(&mut self, kind: u8) -> Option<&mut &'a [u8]> {
        Some(match kind {
            1 => &mut self.unsigned,
            2 => &mut self.default_charset,
            3 => &mut self.charsets,
            4 => &mut self.names,
            5 => &mut self.sets,
            6 => &mut self.enums,
            7 => &mut self.geometries,
            8 => &mut self.key,
            9 => &mut self.prefixed_key,
            10 => &mut self.default_member_charset,
            11 => &mut self.member_charsets,
            12 => &mut self.visible,
            13 => &mut self.dimensions,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_its_columns_and_what_is_added() {
        let body = b"\x05\0\0\0\0\0\x01\0\x02db\0\x01t\0\x02\x03\x0f\x02\x40\0\x02\x04\x05\x02id\x01n\x63\x01x";
        let map = read(body).unwrap();
        assert_eq!((map.id, map.database, map.name), (5, "db", "t"));
        assert_eq!(
            (map.types, map.metadata, map.nullable),
            (&[3, 15][..], &[64, 0][..], &[2][..])
        );
        let metadata = Metadata::of(&map).unwrap();
        assert_eq!(metadata.names, b"\x02id\x01n");
        assert!(metadata.key.is_empty(), "not there, and 0x63 is not known");
        let needed = body.len() - map.optional.len();
        for end in 0..needed {
            assert!(read(&body[..end]).is_err(), "{end}");
        }
        for end in 1..map.optional.len() {
            let cut = TableMap {
                optional: &map.optional[..end],
                ..map
            };
            let whole = end == 7;
            assert_eq!(Metadata::of(&cut).is_ok(), whole, "{end}");
        }
    }
}
