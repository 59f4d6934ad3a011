//! Names of topics that belong to one connector.

use std::fmt::Write;

/// `GROUP-CONNECTOR-SUFFIX`. Bytes that no topic's name can have, and `_`, become `_` and two hex digits, so that no two
/// connectors share a topic.
pub(crate) fn topic_name(group: &str, connector: &str, suffix: &str) -> String {
    let mut name = String::with_capacity(group.len() + connector.len() + 8);
    for (at, part) in [group, connector].into_iter().enumerate() {
        if at > 0 {
            name.push('-');
        }
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => {
                    name.push(char::from(byte))
                }
                // Writing to a String does not fail.
                _ => drop(write!(name, "_{byte:02x}")),
            }
        }
    }
    name + "-" + suffix
}

#[cfg(test)]
mod tests {
    use super::topic_name;

    #[test]
    fn every_connector_has_a_topic_that_kafka_takes() {
        assert_eq!(
            topic_name("tidewater", "inventory", "kept"),
            "tidewater-inventory-kept"
        );
        assert_eq!(topic_name("g", "a b_ä", "kept"), "g-a_20b_5f_c3_a4-kept");
        assert_ne!(
            topic_name("g", "a b", "kept"),
            topic_name("g", "a_20b", "kept")
        );
    }
}
