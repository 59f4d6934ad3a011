//! Values that transforms take apart: geometries, and dates and times as text.

use std::sync::Arc;

use connect_core::{Batch, Cell, Field, Properties, Record, Route, Schema, Type};
use connect_runtime::transforms::transform;

/// Transforms, each with a property.
const TRANSFORMS: [(&str, &str, &str); 4] = [
    ("SwapGeometryCoordinates", "srids", "4326"),
    ("GeometryFormatTransformer", "format", "wkb"),
    ("GeometryFormatTransformer", "format", "ewkb"),
    ("TimezoneConverter", "converted.timezone", "Europe/Berlin"),
];

/// An event whose row has the input as a geometry, as a time with date, and as a time.
pub fn transformed(input: &[u8]) {
    refused(input);
}

/// Whether it is one of them.
pub fn is_transformed(input: &[u8]) -> bool {
    let [swapped, .., zoned] = refused(input);
    swapped == 0 || zoned < 2
}

/// How many of two events each transform refuses: one for each text.
fn refused(input: &[u8]) -> [usize; 4] {
    TRANSFORMS.map(|(class, name, value)| {
        let given = Properties::from([(name.to_owned(), value.to_owned())]);
        let Ok(mut transform) = transform(class, &given) else {
            unreachable!("the properties are right");
        };
        let mut batch = events(input);
        let verdicts = transform.apply(&mut batch, &|_| true);
        let refused = verdicts.map(|verdicts| verdicts.refused.len());
        refused.unwrap_or_else(|error| unreachable!("{error} is no error of the task"))
    })
}

fn events(input: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let route = Route::new("t", None, Some(Arc::new(event())));
    let wkb = batch.push_bytes(input);
    let geometry = batch.push_nest(&[wkb, Cell::Int(4326)]);
    let text = batch.push_bytes(String::from_utf8_lossy(input).as_bytes());
    for fields in [[geometry, text, Cell::Null], [geometry, Cell::Null, text]] {
        let row = batch.push_nest(&fields);
        let value = batch.push_nest(&[row]);
        let record = Record::new(batch.route_index(&route), Cell::Null, value);
        batch.push(record);
    }
    batch
}

fn event() -> Schema {
    let text = |name| Schema::of(Type::String).named(name, 1).optional();
    let geometry = Schema::structure([
        Field::new("wkb", Schema::of(Type::Bytes)),
        Field::new("srid", Schema::of(Type::Int32).optional()),
    ]);
    let row = Schema::structure([
        Field::new("g", geometry.named("io.debezium.data.geometry.Geometry", 1)),
        Field::new("at", text("io.debezium.time.ZonedTimestamp")),
        Field::new("time", text("io.debezium.time.ZonedTime")),
    ]);
    Schema::structure([Field::new("after", row)]).titled("t.Envelope")
}
