//! Values that are hidden or shortened: `column.mask.with.N.chars`, `column.truncate.to.N.chars`,
//! `column.mask.hash.[v2.]ALGORITHM.with.salt.SALT`, each with a list of patterns of columns.

use connect_core::{
    Finding,
    config::{List, ParseValue, Properties},
};
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use crate::{filters::Patterns, java::modified_utf8};

/// What is done to a value's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// So many stars instead, of nulls too.
    Stars(usize),
    /// So many UTF-16 units at most, as Java counts.
    Truncate(usize),
    /// A hash in hex.
    Hash {
        /// The algorithm.
        algorithm: Algorithm,
        /// What is hashed before it.
        salt: Vec<u8>,
        /// Whether the text alone is hashed, not Java's serialized string.
        plain: bool,
    },
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5
    Md5,
    /// SHA-224
    Sha224,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
    /// SHA-512/224
    Sha512To224,
    /// SHA-512/256
    Sha512To256,
}

const ALGORITHMS: [(&str, Algorithm); 7] = [
    ("MD5", Algorithm::Md5),
    ("SHA-224", Algorithm::Sha224),
    ("SHA-256", Algorithm::Sha256),
    ("SHA-384", Algorithm::Sha384),
    ("SHA-512", Algorithm::Sha512),
    ("SHA-512/224", Algorithm::Sha512To224),
    ("SHA-512/256", Algorithm::Sha512To256),
];

/// The masks of a connector; the first whose patterns match a column is its mask.
#[derive(Debug, Clone, Default)]
pub struct Masks(Vec<(Patterns, Mask)>);

impl Masks {
    /// Out of a connector's properties. What cannot be understood is added to `findings`: nothing stays unmasked silently.
    pub fn new(properties: &Properties, findings: &mut Vec<Finding>) -> Option<Self> {
        let before = findings.len();
        let mut masks = Vec::new();
        for (key, list) in properties {
            let Some(mask) = parsed(key) else { continue };
            match (mask, patterns(list)) {
                (Ok(mask), Ok(patterns)) => masks.push((patterns, mask)),
                (Err(why), _) | (_, Err(why)) => {
                    findings.push(Finding::invalid(key, list, &why));
                }
            }
        }
        // Debezium's order: truncates, stars, hashes of the first kind, of the second.
        masks.sort_by_key(|(_, mask)| match mask {
            Mask::Truncate(_) => 0,
            Mask::Stars(_) => 1,
            Mask::Hash { plain, .. } => 2 + u8::from(*plain),
        });
        (findings.len() == before).then_some(Self(masks))
    }

    /// The mask of a column, by its full name.
    pub fn of(&self, column: &str) -> Option<&Mask> {
        let matches = |(patterns, _): &&(Patterns, Mask)| patterns.matches(column);
        self.0.iter().find(matches).map(|(_, mask)| mask)
    }
}

fn patterns(list: &str) -> Result<Patterns, String> {
    Patterns::new(&List::parse_value(list)?)
}

/// `None` for another property.
fn parsed(key: &str) -> Option<Result<Mask, String>> {
    let number = |text: &str| {
        let number = text.strip_suffix(".chars")?.parse::<usize>();
        Some(number.map_err(|error| error.to_string()))
    };
    if let Some(rest) = key.strip_prefix("column.truncate.to.") {
        return Some(number(rest)?.map(Mask::Truncate));
    }
    if let Some(rest) = key.strip_prefix("column.mask.with.") {
        return Some(number(rest)?.map(Mask::Stars));
    }
    let rest = key.strip_prefix("column.mask.hash.")?;
    let (rest, plain) = match rest.strip_prefix("v2.") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (name, salt) = rest.split_once(".with.salt.")?;
    let known = ALGORITHMS.iter().find(|(known, _)| *known == name);
    Some(match known {
        Some((_, algorithm)) => Ok(Mask::Hash {
            algorithm: *algorithm,
            salt: salt.as_bytes().to_vec(),
            plain,
        }),
        None => Err(format!(
            "{name} is none of {}",
            ALGORITHMS.map(|a| a.0).join(", ")
        )),
    })
}

impl Mask {
    /// What stands for a text.
    pub fn apply(&self, text: &str) -> String {
        match self {
            Self::Stars(count) => "*".repeat(*count),
            Self::Truncate(units) => shortened(text, *units).to_owned(),
            Self::Hash {
                algorithm,
                salt,
                plain,
            } => {
                let mut hashed = salt.clone();
                if *plain {
                    hashed.extend_from_slice(text.as_bytes());
                } else {
                    push_serialized(text, &mut hashed);
                }
                algorithm.hex(&hashed)
            }
        }
    }
}

/// The beginning of a text, of so many UTF-16 units at most; a pair of them is not cut.
pub fn shortened(text: &str, units: usize) -> &str {
    let mut left = units;
    for (at, c) in text.char_indices() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// A string as Java's `ObjectOutputStream` writes it: a header, a tag, the length, modified UTF-8.
fn push_serialized(text: &str, out: &mut Vec<u8>) {
    let bytes = modified_utf8(text);
    out.extend([0xac, 0xed, 0, 5]);
    match u16::try_from(bytes.len()) {
        Ok(len) => {
            out.push(0x74);
            out.extend(len.to_be_bytes());
        }
        Err(_) => {
            out.push(0x7c);
            out.extend((bytes.len() as u64).to_be_bytes());
        }
    }
    out.extend(bytes);
}

impl Algorithm {
    fn hex(self, bytes: &[u8]) -> String {
        fn digest<D: Digest>(bytes: &[u8]) -> String {
            let digest = D::digest(bytes);
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        match self {
            Self::Md5 => digest::<Md5>(bytes),
            Self::Sha224 => digest::<Sha224>(bytes),
            Self::Sha256 => digest::<Sha256>(bytes),
            Self::Sha384 => digest::<Sha384>(bytes),
            Self::Sha512 => digest::<Sha512>(bytes),
            Self::Sha512To224 => digest::<Sha512_224>(bytes),
            Self::Sha512To256 => digest::<Sha512_256>(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(properties: &[(&str, &str)]) -> Result<Masks, Vec<Finding>> {
        let all = properties.iter();
        let all = all.map(|(key, list)| ((*key).to_owned(), (*list).to_owned()));
        let mut findings = Vec::new();
        Masks::new(&all.collect(), &mut findings).ok_or(findings)
    }

    #[test]
    fn properties_become_masks() {
        let masks = masks(&[
            ("column.mask.with.3.chars", "public.t.(a|b)"),
            ("column.truncate.to.2.chars", "public.t.b"),
            ("column.mask.hash.v2.SHA-256.with.salt.x.y", "public.t.c"),
            ("table.include.list", "public.t"),
        ])
        .unwrap();
        assert_eq!(masks.of("public.t.a"), Some(&Mask::Stars(3)));
        assert_eq!(masks.of("public.t.b"), Some(&Mask::Truncate(2)));
        assert!(
            matches!(masks.of("public.t.c"), Some(Mask::Hash { plain: true, salt, .. }) if salt == b"x.y")
        );
        assert_eq!(masks.of("public.t.d"), None);
    }

    #[test]
    fn what_cannot_be_masked_is_a_finding() {
        assert!(masks(&[("column.mask.hash.SHA-1.with.salt.x", "a")]).is_err());
        assert!(masks(&[("column.mask.with.many.chars", "a")]).is_err());
        assert!(masks(&[("column.mask.with.3.chars", "(")]).is_err());
    }

    /// Of Debezium 3.6.1, with this salt.
    #[test]
    fn hashes_are_those_of_java() {
        let hash = |plain| Mask::Hash {
            algorithm: Algorithm::Sha256,
            salt: b"CzQMA0cB5K".to_vec(),
            plain,
        };
        let both = [false, true].map(|plain| hash(plain).apply("long secret"));
        assert_eq!(
            both,
            [
                "bb00057b8914ec72064773aad099d4ec262bf805bc3b2aea68e044ab7b127cef",
                "d0323c24a576b8e4d42cab8140f88903bb83627f2b9edc4f6382a6f7fbf77e98"
            ]
        );
    }

    #[test]
    fn texts_are_shortened_by_utf_16_units() {
        assert_eq!(shortened("äöü漢", 3), "äöü");
        assert_eq!(shortened("a🦀b", 2), "a");
        assert_eq!(shortened("ab", 3), "ab");
    }
}
