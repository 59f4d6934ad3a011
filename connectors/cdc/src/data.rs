//! Schemas of values that Kafka Connect has no type for (`io.debezium.data`, Kafka Connect's `Decimal`).

use std::sync::Arc;

use connect_core::{Field, Form, Schema, Type, schema::logical};

/// A type with a semantic name, in its first version.
pub fn named(ty: Type, name: &str) -> Schema {
    Schema::of(ty).named(name, 1)
}

/// A decimal, written as text, of so many digits behind the point; with the number of all its digits where the column tells it.
pub fn decimal(precision: Option<u32>, scale: u32) -> Schema {
    let schema = named(Type::Bytes, logical::DECIMAL)
        .parameter("scale", scale.to_string())
        .form(Form::DecimalText);
    match precision {
        Some(precision) => schema.parameter("connect.decimal.precision", precision.to_string()),
        None => schema,
    }
}

/// So many bits, least significant byte first.
pub fn bits(length: u32) -> Schema {
    named(Type::Bytes, "io.debezium.data.Bits").parameter("length", length.to_string())
}

/// A point: its coordinates, well-known binary, and the number of its reference system.
pub fn point() -> Schema {
    let schema = Schema::structure([
        Field::new("x", Schema::of(Type::Float64)),
        Field::new("y", Schema::of(Type::Float64)),
        Field::new("wkb", Schema::of(Type::Bytes).optional()),
        Field::new("srid", Schema::of(Type::Int32).optional()),
    ]);
    documented(schema, "Point", "Geometry (POINT)")
}

/// A geometry (`Geometry`, `Geography`): well-known binary, in a form, and the number of its reference system.
pub fn geometry(name: &str, form: Form) -> Schema {
    let schema = Schema::structure([
        Field::new("wkb", Schema::of(Type::Bytes).form(form)),
        Field::new("srid", Schema::of(Type::Int32).optional()),
    ]);
    documented(schema, name, name)
}

fn documented(schema: Schema, name: &str, doc: &str) -> Schema {
    let mut schema = schema.named(format!("io.debezium.data.geometry.{name}"), 1);
    schema.doc = Some(doc.into());
    schema
}

/// An array of floats (`FloatVector`, `DoubleVector`).
pub fn vector(name: &str, item: Type) -> Schema {
    let items = Type::Array(Arc::new(Schema::of(item)));
    named(items, &format!("io.debezium.data.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_tell_lengths_and_scales() {
        let with = decimal(Some(10), 2);
        assert_eq!(with.parameter_value("scale"), Some("2"));
        assert_eq!(
            with.parameter_value("connect.decimal.precision"),
            Some("10")
        );
        let without = decimal(None, 0);
        assert_eq!(without.parameter_value("connect.decimal.precision"), None);
        assert_eq!(bits(11).parameter_value("length"), Some("11"));
    }

    #[test]
    fn shapes_have_names_and_fields_in_order() {
        let fields = |schema: &Schema| {
            let names = schema.fields().iter().map(|field| field.name.to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(fields(&point()), "x y wkb srid");
        let geography = geometry("Geography", Form::Hex);
        assert_eq!(fields(&geography), "wkb srid");
        assert!(geography.is("io.debezium.data.geometry.Geography"));
        assert!(vector("FloatVector", Type::Float32).is("io.debezium.data.FloatVector"));
    }
}
