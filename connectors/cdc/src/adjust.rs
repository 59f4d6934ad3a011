//! Names made fit for Avro: `schema.name.adjustment.mode`, `field.name.adjustment.mode`.

use std::fmt::Write as _;

use connect_core::choice;

choice! {
    /// How names are adjusted.
    pub enum Adjustment {
        /// Not at all.
        None = "none",
        /// What Avro does not allow becomes `_`.
        Avro = "avro",
        /// It becomes `_u` and its number in hex; an underscore too.
        AvroUnicode = "avro_unicode",
    }
}

impl Adjustment {
    /// The name of a schema, in which dots may stand.
    pub fn schema(self, name: &str) -> String {
        self.adjusted(name, true)
    }

    /// The name of a field.
    pub fn field(self, name: &str) -> String {
        self.adjusted(name, false)
    }

    fn adjusted(self, name: &str, dots: bool) -> String {
        if self == Self::None {
            return name.to_owned();
        }
        let mut out = String::with_capacity(name.len());
        for (at, unit) in name.encode_utf16().enumerate() {
            let c = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
            let underscore = c == '_' && self == Self::Avro;
            let later = c.is_ascii_digit() || (dots && c == '.');
            if c.is_ascii_alphabetic() || underscore || (at > 0 && later) {
                out.push(c);
            } else if self == Self::Avro {
                out.push('_');
                // So that names that differ in it stay different.
                if at == 0 && c.is_ascii_digit() {
                    out.push(c);
                }
            } else {
                push_escape(unit, &mut out);
            }
        }
        out
    }
}

/// `_u` and a number in hex, of two digits with two zeros before them.
pub(crate) fn push_escape(unit: u16, out: &mut String) {
    let zeros = if unit < 0x100 { "00" } else { "" };
    // Writing to a string does not fail.
    let _ = write!(out, "_u{zeros}{unit:x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_debezium() {
        assert_eq!(Adjustment::None.field("a b"), "a b");
        assert_eq!(Adjustment::Avro.field("1st a.b"), "_1st_a_b");
        assert_eq!(Adjustment::Avro.schema("s.dash-ed_x"), "s.dash_ed_x");
        assert_eq!(Adjustment::Avro.field("ключ"), "____");
        assert_eq!(
            Adjustment::AvroUnicode.field("1st a.b"),
            "_u0031st_u0020a_u002eb"
        );
        assert_eq!(Adjustment::AvroUnicode.schema("s.a_b"), "s.a_u005fb");
        assert_eq!(Adjustment::AvroUnicode.field("к"), "_u43a");
    }
}
