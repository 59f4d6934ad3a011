//! Keys of the topic of offsets.

use std::collections::BTreeMap;

use serde_json::Value;

/// `["name",{partition}]`, the partition as its source wrote it.
pub(super) fn key_bytes(connector: &str, partition: &str) -> Vec<u8> {
    format!("[{},{partition}]", Value::from(connector)).into_bytes()
}

/// The connector, and the partition's JSON text. Kafka Connect writes no blanks, so what stands between the first comma and the
/// last bracket is the partition as it was written.
pub(super) fn parse_key(key: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(key).ok()?;
    let parsed: (String, Value) = serde_json::from_str(text).ok()?;
    if !parsed.1.is_object() {
        return None;
    }
    let name = Value::from(parsed.0.as_str()).to_string();
    let written = text
        .strip_prefix('[')
        .and_then(|t| t.strip_prefix(name.as_str()));
    let partition = written.and_then(|t| t.strip_prefix(',')?.strip_suffix(']'));
    Some((
        parsed.0,
        partition.map_or_else(|| parsed.1.to_string(), str::to_owned),
    ))
}

/// The same JSON object for every order of its keys, for finding a partition again.
pub(super) fn sorted(partition: &str) -> String {
    match serde_json::from_str::<BTreeMap<String, Value>>(partition) {
        Ok(map) => Value::from_iter(map).to_string(),
        Err(_) => partition.to_owned(),
    }
}

/// Whether a recorded key is read, and would be written again just so.
#[cfg(test)]
pub(crate) fn is_same_to_the_byte(key: &[u8]) -> bool {
    parse_key(key).is_some_and(|(connector, partition)| key_bytes(&connector, &partition) == key)
}
