//! Text of the servers' character sets as UTF-8.
//!
//! Bytes that mean nothing become U+FFFD, as Debezium shows them. What is ASCII, or UTF-8 already, needs no copy.

mod collation;
mod tables;
mod wide;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};

use tables::Table;

/// How the bytes of a character set are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// No text: `binary`.
    Binary,
    /// `utf8mb3`, `utf8mb4`
    Utf8,
    /// One byte a character, the lower half ASCII.
    Single(&'static Table),
    /// `swe7`: seven bits, some of which are letters where ASCII has brackets.
    Swe7,
    /// One or more bytes a character, the lower half ASCII.
    Multi(&'static Encoding),
    /// `big5`, which everybody has extended in another way where the standard left room.
    Big5,
    /// `ucs2`, `utf16`
    Utf16,
    /// `utf16le`
    Utf16Le,
    /// `utf32`
    Utf32,
}

impl Charset {
    /// Of a collation's number, as table maps have it.
    pub fn of_collation(id: u16) -> Option<Self> {
        Self::named(collation::charset(id)?)
    }

    /// Of its name, as `information_schema` has it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "binary" => Self::Binary,
            "utf8" | "utf8mb3" | "utf8mb4" => Self::Utf8,
            "ucs2" | "utf16" => Self::Utf16,
            "utf16le" => Self::Utf16Le,
            "utf32" => Self::Utf32,
            "swe7" => Self::Swe7,
            "gbk" | "gb2312" => Self::Multi(GBK),
            "gb18030" => Self::Multi(GB18030),
            "big5" => Self::Big5,
            "sjis" | "cp932" => Self::Multi(SHIFT_JIS),
            "ujis" | "eucjpms" => Self::Multi(EUC_JP),
            "euckr" => Self::Multi(EUC_KR),
            single => Self::Single(tables::named(single)?),
        })
    }

    /// Whether these bytes are the UTF-8 of what they mean, so that they can stay where they lie.
    #[inline]
    pub fn is_utf8(self, bytes: &[u8]) -> bool {
        match self {
            Self::Utf8 => simdutf8::basic::from_utf8(bytes).is_ok(),
            Self::Single(_) | Self::Multi(_) | Self::Big5 => bytes.is_ascii(),
            Self::Binary | Self::Swe7 | Self::Utf16 | Self::Utf16Le | Self::Utf32 => {
                bytes.is_empty()
            }
        }
    }

    /// Appends the text as UTF-8.
    pub fn push(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Utf8 | Self::Binary => {
                for chunk in bytes.utf8_chunks() {
                    out.extend_from_slice(chunk.valid().as_bytes());
                    if !chunk.invalid().is_empty() {
                        push_char(char::REPLACEMENT_CHARACTER, out);
                    }
                }
            }
            Self::Single(table) => bytes.iter().for_each(|byte| match byte {
                0..0x80 => out.push(*byte),
                _ => push_unit(table[usize::from(byte & 0x7f)], out),
            }),
            Self::Swe7 => bytes.iter().for_each(|byte| {
                let unit = tables::SWE7_LOW.get(usize::from(*byte));
                push_unit(unit.copied().unwrap_or(0xfffd), out);
            }),
            Self::Multi(encoding) => push_encoded(encoding, bytes, out),
            Self::Big5 => push_big5(bytes, out),
            Self::Utf16 => wide::push_utf16(bytes, u16::from_be_bytes, out),
            Self::Utf16Le => wide::push_utf16(bytes, u16::from_le_bytes, out),
            Self::Utf32 => wide::push_utf32(bytes, out),
        }
    }
}

fn push_unit(unit: u16, out: &mut Vec<u8>) {
    let c = char::from_u32(u32::from(unit));
    push_char(c.unwrap_or(char::REPLACEMENT_CHARACTER), out);
}

fn push_char(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_encoded(encoding: &'static Encoding, bytes: &[u8], out: &mut Vec<u8>) {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    out.extend_from_slice(text.as_bytes());
}

/// Never a guess: from 0xC6A1 to 0xC8FE the servers have other characters than the WHATWG.
fn push_big5(bytes: &[u8], out: &mut Vec<u8>) {
    let (mut start, mut at) = (0, 0);
    while let Some([first, second]) = bytes.get(at..at + 2) {
        if *first < 0x80 {
            at += 1;
            continue;
        }
        if (0xc6a1..=0xc8fe).contains(&u16::from_be_bytes([*first, *second])) {
            push_encoded(BIG5, bytes.get(start..at).unwrap_or_default(), out);
            push_char(char::REPLACEMENT_CHARACTER, out);
            start = at + 2;
        }
        at += 2;
    }
    push_encoded(BIG5, bytes.get(start..).unwrap_or_default(), out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(name: &str, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        Charset::named(name).unwrap().push(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_character_set_has_its_own_letters() {
        for (name, bytes, expected) in [
            ("utf8mb4", "漢🦀".as_bytes(), "漢🦀"),
            ("latin1", b"\x80\x81\xe4", "€\u{81}ä"),
            ("big5", b"a\xba\x7e\xc7\xb4b", "a漢\u{fffd}b"),
            ("latin2", b"\xb1", "ą"),
            ("latin5", b"\xf0", "ğ"),
            ("latin7", b"\xe0", "ą"),
            ("cp1250", b"\x9a", "š"),
            ("cp1251", b"\xcf\xf0", "Пр"),
            ("cp1256", b"\xc7", "ا"),
            ("cp1257", b"\xe0", "ą"),
            ("cp850", b"\x84", "ä"),
            ("cp852", b"\xa5", "ą"),
            ("cp866", b"\x8f", "П"),
            ("koi8r", b"\xf0", "П"),
            ("koi8u", b"\xa4", "є"),
            ("greek", b"\xe1", "α"),
            ("hebrew", b"\xe0", "א"),
            ("tis620", b"\xa1\xa0", "ก\u{fffd}"),
            ("macce", b"\x8a", "ä"),
            ("macroman", b"\x8a", "ä"),
            ("armscii8", b"\xb2", "Ա"),
            ("keybcs2", b"\x87", "č"),
            ("dec8", b"\xe4", "ä"),
            ("hp8", b"\xcc", "ä"),
            ("swe7", b"a{|}[\\]\x80", "aäöåÄÖÅ\u{fffd}"),
            ("geostd8", b"\xc0", "ა"),
            ("gbk", b"\xba\xba", "汉"),
            ("gb2312", b"\xba\xba", "汉"),
            ("gb18030", b"\x81\x30\x81\x30", "\u{80}"),
            ("big5", b"\xba\x7e", "漢"),
            ("sjis", b"\x8a\xbf\xb1", "漢ｱ"),
            ("cp932", b"\x8a\xbf", "漢"),
            ("ujis", b"\xb4\xc1", "漢"),
            ("eucjpms", b"\xb4\xc1", "漢"),
            ("euckr", b"\xc7\xd1", "한"),
            ("ucs2", b"\0a\x6f\x22", "a漢"),
            ("utf16", b"\xd8\x3e\xdd\x80", "🦀"),
            ("utf16le", b"\x3e\xd8\x80\xdd", "🦀"),
            ("utf32", b"\0\x01\xf9\x80", "🦀"),
            ("ascii", b"a\x80", "a\u{fffd}"),
        ] {
            assert_eq!(text(name, bytes), expected, "{name}");
        }
        assert_eq!(Charset::named("klingon"), None);
    }

    #[test]
    fn what_is_cut_is_replaced() {
        for (name, bytes) in [
            ("utf8mb4", &b"\xf0\x9f\xa6"[..]),
            ("utf16", b"\xd8"),
            ("utf16", b"\xd8\x3e"),
            ("utf16", b"\xdc\x00"),
            ("utf32", b"\0\x11\0\0"),
            ("utf32", b"\0\0"),
            ("gbk", b"\xba"),
        ] {
            assert_eq!(text(name, bytes), "\u{fffd}", "{name}");
        }
    }

    #[test]
    fn collations_of_both_servers_are_known() {
        for (id, name) in [
            (8, "latin1"),
            (33, "utf8mb3"),
            (45, "utf8mb4"),
            (63, "binary"),
            (83, "utf8mb3"),
            (255, "utf8mb4"),
            (323, "utf8mb4"),
            (608, "utf8mb4"),
            (1032, "latin1"),
            (1069, "utf8mb4"),
            (2048, "utf8mb3"),
            (2304, "utf8mb4"),
            (3072, "utf32"),
        ] {
            assert_eq!(collation::charset(id), Some(name), "{id}");
        }
        assert_eq!(Charset::of_collation(0), None);
        assert_eq!(Charset::of_collation(u16::MAX), None);
        let known = (0..=u16::MAX).filter_map(collation::charset);
        assert!(known.into_iter().all(|name| Charset::named(name).is_some()));
    }

    proptest! {
        #[test]
        fn all_bytes_become_text(bytes: Vec<u8>, id: u16) {
            if let Some(charset) = Charset::of_collation(id % 330) {
                let mut out = Vec::new();
                charset.push(&bytes, &mut out);
                prop_assert!(std::str::from_utf8(&out).is_ok());
                prop_assert!(!charset.is_utf8(&bytes) || out == bytes);
            }
        }

        #[test]
        fn unicode_comes_back(shown: String) {
            let utf16: Vec<u8> = shown.encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(text("utf16", &utf16), shown.as_str());
            let utf32: Vec<u8> = shown.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
            prop_assert_eq!(text("utf32", &utf32), shown);
        }
    }
}
