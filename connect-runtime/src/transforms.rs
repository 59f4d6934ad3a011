//! Kafka Connect's transforms and predicates, and Debezium's transforms.
//!
//! Each is compiled once per route (topic and schemas): what it does to the schema is done then, and records only
//! have their cells moved. Classes and properties are Kafka Connect's own, so that configurations work unchanged.

mod by_logical_table;
mod cast;
mod changed_fields;
mod content_based_router;
mod decode_message;
mod drop_headers;
mod enforce_record_size;
mod event_router;
mod events;
mod expression;
mod expression_filter;
mod extract_field;
mod extract_schema;
mod field_path;
mod filter;
mod flatten;
mod geometry;
mod geometry_format;
mod header_from;
mod header_to_value;
mod headers;
mod hoist_field;
mod insert_field;
mod insert_header;
mod java_date;
mod listed;
mod mask_field;
mod murmur;
mod open_lineage;
mod partition_routing;
mod predicates;
mod read_to_insert;
mod regex_router;
mod registry;
mod replace_field;
mod reshape;
mod routes;
mod row;
mod schema_changes;
mod set_schema_metadata;
mod shown;
mod side;
mod swap_coordinates;
mod timestamp;
mod timestamp_converter;
mod timestamp_router;
mod timezone_converter;
mod tracing_span;
mod unwrap;
mod value_to_key;
mod vector_to_json;
mod wkb;

use connect_core::compiled;

#[cfg(test)]
mod tests;

pub(crate) use registry::Transforms;
pub use registry::{all_predicates, predicate, predicate_keys, transform};
