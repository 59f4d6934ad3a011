//! Schemas of the change envelope.

use std::sync::Arc;

use connect_core::{Field, Schema, Type, Value};

use crate::{EVENT_FORMAT_VERSION, topics::TableNames};

/// Indexes of the envelope's fields.
pub mod field {
    /// The row as it was.
    pub const BEFORE: usize = 0;
    /// The row as it is.
    pub const AFTER: usize = 1;
    /// Where the change comes from.
    pub const SOURCE: usize = 2;
    /// The transaction block.
    pub const TRANSACTION: usize = 3;
    /// The letter of the operation.
    pub const OP: usize = 4;
    /// When the connector saw it, in milliseconds.
    pub const TS_MS: usize = 5;
    /// The same in microseconds.
    pub const TS_US: usize = 6;
    /// The same in nanoseconds.
    pub const TS_NS: usize = 7;
    /// How many fields.
    pub const COUNT: usize = 8;
}

/// What the first fields of every `source` block say.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// `postgresql`, `mysql` or `mariadb`.
    pub connector: &'a str,
    /// The `topic.prefix`.
    pub name: &'a str,
    /// The database.
    pub database: &'a str,
}

/// The fields of a `source` block that all connectors share, in order:
/// version, connector, name, ts_ms, snapshot, db, sequence, ts_us, ts_ns.
pub fn source_fields(origin: Origin<'_>) -> Vec<Field> {
    let text = || Schema::of(Type::String);
    let int = || Schema::of(Type::Int64);
    vec![
        Field::constant("version", text(), EVENT_FORMAT_VERSION.into()),
        Field::constant("connector", text(), origin.connector.into()),
        Field::constant("name", text(), origin.name.into()),
        Field::new("ts_ms", int()),
        // Null, for which the schema's default stands.
        Field::constant("snapshot", snapshot_schema(), Value::Null),
        Field::constant("db", text(), origin.database.into()),
        Field::new("sequence", text().optional()),
        Field::new("ts_us", int().optional()),
        Field::new("ts_ns", int().optional()),
    ]
}

fn snapshot_schema() -> Schema {
    Schema::of(Type::String)
        .named("io.debezium.data.Enum", 1)
        .parameter(
            "allowed",
            "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
        )
        .default_value(Value::from("false"))
        .optional()
}

/// The `source` schema of a connector: `io.debezium.connector.<connector>.Source`.
pub fn source_schema(connector: &str, fields: Vec<Field>) -> Arc<Schema> {
    let name = format!("io.debezium.connector.{connector}.Source");
    Arc::new(Schema::structure(fields).named(name, 1))
}

/// The `transaction` block.
pub fn transaction_schema() -> Schema {
    Schema::structure([
        Field::new("id", Schema::of(Type::String)),
        Field::new("total_order", Schema::of(Type::Int64)),
        Field::new("data_collection_order", Schema::of(Type::Int64)),
    ])
    .named("event.block", 1)
    .optional()
}

/// The schema of a row: `<topic>.Value`.
pub fn row_schema(names: &TableNames, fields: Vec<Field>) -> Arc<Schema> {
    let schema = Schema::structure(fields).titled(Arc::clone(&names.value));
    Arc::new(schema.optional())
}

/// The schema of a key: `<topic>.Key`; `None` for a table without one.
pub fn key_schema(names: &TableNames, fields: Vec<Field>) -> Option<Arc<Schema>> {
    let schema = Schema::structure(fields).titled(Arc::clone(&names.key));
    (!schema.fields().is_empty()).then(|| Arc::new(schema))
}

/// The envelope of a row: `<topic>.Envelope`.
pub fn envelope_schema(names: &TableNames, row: &Arc<Schema>, source: &Arc<Schema>) -> Arc<Schema> {
    let time = || Schema::of(Type::Int64).optional();
    Arc::new(
        Schema::structure([
            Field::new("before", Arc::clone(row)),
            Field::new("after", Arc::clone(row)),
            Field::new("source", Arc::clone(source)),
            Field::new("transaction", transaction_schema()),
            Field::new("op", Schema::of(Type::String)),
            Field::new("ts_ms", time()),
            Field::new("ts_us", time()),
            Field::new("ts_ns", time()),
        ])
        .named(Arc::clone(&names.envelope), 2),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_its_fields_in_order() {
        let names = TableNames::of("shop.public.orders".to_owned());
        let source = source_schema(
            "postgresql",
            source_fields(Origin {
                connector: "postgresql",
                name: "shop",
                database: "inventory",
            }),
        );
        let row = row_schema(&names, vec![Field::new("id", Schema::of(Type::Int32))]);
        let envelope = envelope_schema(&names, &row, &source);
        let fields: Vec<&str> = envelope.fields().iter().map(|f| &*f.name).collect();
        let expected = "before after source transaction op ts_ms ts_us ts_ns";
        assert_eq!(fields.join(" "), expected);
        assert_eq!(fields.len(), field::COUNT);
        assert_eq!(envelope.version, Some(2));
        assert!(key_schema(&names, Vec::new()).is_none());
    }
}
