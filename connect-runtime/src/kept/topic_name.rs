//! The name of the topic in which a connector keeps what its server shall not keep.

use std::fmt::Write;

/// `GROUP-CONNECTOR-kept`. Bytes that no topic's name can have, and `_`, become `_` and two hex digits, so that no two
/// connectors share a topic.
pub(super) fn topic_name(group: &str, connector: &str) -> String {
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
    name + "-kept"
}

#[cfg(test)]
mod tests {
    use super::topic_name;

    #[test]
    fn every_connector_has_a_topic_that_kafka_takes() {
        assert_eq!(
            topic_name("tidewater", "inventory"),
            "tidewater-inventory-kept"
        );
        assert_eq!(topic_name("g", "a b_ä"), "g-a_20b_5f_c3_a4-kept");
        assert_ne!(topic_name("g", "a b"), topic_name("g", "a_20b"));
    }
}
