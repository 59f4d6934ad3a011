//! Kafka Connect's transforms and predicates, and Debezium's `ExtractNewRecordState`.
//!
//! Each is compiled once per route (topic and schemas): what it does to the schema is done then, and records only
//! have their cells moved. Classes and properties are Kafka Connect's own, so that configurations work unchanged.

mod cast;
mod compiled;
mod extract_field;
mod field_path;
mod filter;
mod insert_field;
mod java_date;
mod mask_field;
mod predicates;
mod regex_router;
mod registry;
mod replace_field;
mod reshape;
mod row;
mod side;
mod timestamp;
mod timestamp_converter;
mod unwrap;
mod value_to_key;

#[cfg(test)]
mod tests;

pub use registry::{
    all_predicates, all_transforms, predicate, predicate_keys, transform, transform_keys,
};
