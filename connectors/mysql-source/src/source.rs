//! The `source` block: where a change comes from.

use std::sync::Arc;

use cdc::envelope::{self, Origin};
use connect_core::{Field, Schema, Type};

use crate::wire::Flavor;

/// How many fields it has.
pub const FIELDS: usize = 17;

/// Where the fields are that differ from row to row.
pub mod field {
    /// When it happened, in milliseconds.
    pub const TS_MS: usize = 3;
    /// Whether and how a snapshot read it.
    pub const SNAPSHOT: usize = 4;
    /// The same time in microseconds.
    pub const TS_US: usize = 7;
    /// The same time in nanoseconds.
    pub const TS_NS: usize = 8;
    /// The server on which it happened first.
    pub const SERVER_ID: usize = 10;
    /// The id of its transaction.
    pub const GTID: usize = 11;
    /// The file of the binlog.
    pub const FILE: usize = 12;
    /// Where its event begins.
    pub const POS: usize = 13;
    /// Which row of the event it is.
    pub const ROW: usize = 14;
    /// The connection that made it, by its number.
    pub const THREAD: usize = 15;
    /// The statement that made it.
    pub const QUERY: usize = 16;
}

/// Where the fields are that belong to the table.
pub mod table_field {
    /// The database.
    pub const DB: usize = 5;
    /// The table.
    pub const TABLE: usize = 9;
}

/// What the connector calls itself.
pub fn connector(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MySql => "mysql",
        Flavor::MariaDb => "mariadb",
    }
}

/// Its schema for what may be of any database and table.
pub fn schema_of_any(flavor: Flavor, prefix: &str) -> Arc<Schema> {
    let mut any = (*schema(flavor, prefix, "", None)).clone();
    if let Type::Struct(fields) = &mut any.ty {
        let of_database = |field: &Field| match &*field.name {
            "db" => Field::new("db", Schema::of(Type::String)),
            _ => field.clone(),
        };
        *fields = fields.iter().map(of_database).collect();
    }
    Arc::new(any)
}

/// Its schema for the rows of a table; none for what belongs to no table or to several.
pub fn schema(flavor: Flavor, prefix: &str, database: &str, table: Option<&str>) -> Arc<Schema> {
    let connector = connector(flavor);
    let mut fields = envelope::source_fields(Origin {
        connector,
        name: prefix,
        database,
    });
    let (text, int) = (|| Schema::of(Type::String), || Schema::of(Type::Int64));
    let table = match table {
        Some(table) => Field::constant("table", text().optional(), table.into()),
        None => Field::new("table", text().optional()),
    };
    fields.extend([
        table,
        Field::new("server_id", int()),
        Field::new("gtid", text().optional()),
        Field::new("file", text()),
        Field::new("pos", int()),
        Field::new("row", Schema::of(Type::Int32)),
        Field::new("thread", int().optional()),
        Field::new("query", text().optional()),
    ]);
    envelope::source_schema(connector, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_they_are_said_to_be() {
        let schema = schema(Flavor::MySql, "shop", "inventory", Some("orders"));
        assert_eq!(schema.fields().len(), FIELDS);
        assert!(schema.is("io.debezium.connector.mysql.Source"));
        let name = |at: usize| &*schema.fields()[at].name;
        for (at, expected) in [
            (field::TS_MS, "ts_ms"),
            (field::SNAPSHOT, "snapshot"),
            (field::TS_US, "ts_us"),
            (field::TS_NS, "ts_ns"),
            (field::SERVER_ID, "server_id"),
            (field::GTID, "gtid"),
            (field::FILE, "file"),
            (field::POS, "pos"),
            (field::ROW, "row"),
            (field::THREAD, "thread"),
            (field::QUERY, "query"),
        ] {
            assert_eq!(name(at), expected);
        }
    }
}
