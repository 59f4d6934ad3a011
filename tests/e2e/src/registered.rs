//! Values that were written with a schema registry, read by libraries of others.

use serde_json::Value;
use stack::{Kcat, SchemaRegistry};

use crate::Outcome;

/// All values of a topic, each with the number of its schema, as `fastavro`, Google's `protobuf` or `jsonschema` read them.
///
/// `kind` is the registry's name of the format. Bytes come as base64.
pub fn values(
    kcat: &Kcat,
    topic: &str,
    kind: &str,
    registry: &SchemaRegistry,
) -> Outcome<Vec<Value>> {
    let words = ["-C", "-e", "-o", "beginning", "-f", "%R%s", "-t", topic];
    let output = kcat.command(&words).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut input = format!("{kind} {}\n", registry.url()).into_bytes();
    input.extend(output.stdout);
    let lines = stack::python_reader(include_str!("registered.py"), &input)?;
    let values = lines.lines().map(serde_json::from_str);
    Ok(values.collect::<Result<_, _>>()?)
}
