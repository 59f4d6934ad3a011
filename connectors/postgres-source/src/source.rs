//! The `source` block: where a change comes from.

use std::sync::Arc;

use cdc::envelope::{self, Origin};
use connect_core::{Field, Schema, Type};

/// How many fields it has, and where those are that differ from row to row.
pub(crate) const FIELDS: usize = 16;
pub(crate) const TS_MS: usize = 3;
pub(crate) const SNAPSHOT: usize = 4;
pub(crate) const SEQUENCE: usize = 6;
pub(crate) const TS_US: usize = 7;
pub(crate) const TS_NS: usize = 8;
pub(crate) const TX_ID: usize = 11;
pub(crate) const LSN: usize = 12;
pub(crate) const XMIN: usize = 13;
pub(crate) const ORIGIN: usize = 14;
pub(crate) const ORIGIN_LSN: usize = 15;

/// Its schema for the rows of a table; both names are empty for what belongs to none.
pub(crate) fn schema(prefix: &str, database: &str, schema: &str, table: &str) -> Arc<Schema> {
    let mut fields = envelope::source_fields(Origin {
        connector: "postgresql",
        name: prefix,
        database,
    });
    let text = || Schema::of(Type::String);
    let number = || Schema::of(Type::Int64).optional();
    fields.extend([
        Field::constant("schema", text(), schema.into()),
        Field::constant("table", text(), table.into()),
        Field::new("txId", number()),
        Field::new("lsn", number()),
        Field::new("xmin", number()),
        Field::new("origin", text().optional()),
        Field::new("origin_lsn", number()),
    ]);
    envelope::source_schema("postgresql", fields)
}
