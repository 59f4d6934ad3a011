//! Names that Avro and Protobuf allow, and those that are made fit.

use std::borrow::Cow;

/// Whether Avro allows a name: a letter or underscore, then also digits.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A name made fit as Confluent's converters do (`scrub.invalid.names`): encoded as in a URL, then everything odd is `_`.
pub(crate) fn scrubbed(name: &str) -> Cow<'_, str> {
    if name.is_empty() || is_name(name) {
        return Cow::Borrowed(name);
    }
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => out.push(byte as char),
            // These stand for themselves in a URL, and a blank is a plus.
            b'.' | b'-' | b'*' | b' ' => out.push('_'),
            byte => out.push_str(&format!("_{byte:02X}")),
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'x');
    }
    Cow::Owned(out)
}

/// A full name taken apart at its last dot: namespace and name.
pub(crate) fn split(full: &str) -> (Option<&str>, &str) {
    match full.rsplit_once('.') {
        Some((space, name)) if !space.is_empty() => (Some(space), name),
        Some((_, name)) => (None, name),
        None => (None, full),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // By Confluent's AvroData.doScrubName.
    #[test]
    fn names_are_scrubbed_as_confluent_does() {
        for (name, expected) in [
            ("abc_1", "abc_1"),
            ("1st", "x1st"),
            ("a b.c-d", "a_b_c_d"),
            ("$x", "_24x"),
            ("é", "_C3_A9"),
        ] {
            assert_eq!(scrubbed(name), expected);
        }
    }
}
