//! Java's serialization of `Object[]`, as far as keys need it: Debezium stores the progress of incremental snapshots so.
//!
//! The format is that of the Java Object Serialization Specification, chapter 6.

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `null`
    Null,
    /// `java.lang.Integer`
    Int(i32),
    /// `java.lang.Long`
    Long(i64),
    /// `java.lang.String`
    Text(String),
    /// `java.util.UUID`
    Uuid(u128),
}

impl Part {
    /// As SQL text; `None` for null.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(number.to_string()),
            Self::Long(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Uuid(bits) => Some(uuid_text(*bits)),
        }
    }
}

/// 128 bits as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
pub fn uuid_text(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts = parts.map(|range| hex.get(range).unwrap_or_default().to_owned());
    parts.join("-")
}

/// The 128 bits of a UUID's text.
pub fn uuid_bits(text: &str) -> Option<u128> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok())?
}

const MAGIC: &[u8] = &[0xac, 0xed, 0, 5];
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const END: u8 = 0x78;
const FIRST_HANDLE: u32 = 0x7e_0000;
const SERIALIZABLE: u8 = 2;

/// What is written of a class: name, version, fields (type and name).
type Class = (&'static str, u64, &'static [(u8, &'static str)]);
const OBJECTS: Class = ("[Ljava.lang.Object;", 0x90ce_589f_1073_296c, &[]);
const NUMBER: Class = ("java.lang.Number", 0x86ac_951d_0b94_e08b, &[]);
const INTEGER: Class = (
    "java.lang.Integer",
    0x12e2_a0a4_f781_8738,
    &[(b'I', "value")],
);
const LONG: Class = ("java.lang.Long", 0x3b8b_e490_cc8f_23df, &[(b'J', "value")]);
const UUID: Class = (
    "java.util.UUID",
    0xbc99_03f7_986d_852f,
    &[(b'J', "leastSigBits"), (b'J', "mostSigBits")],
);

/// A key as hex text; `None` is Java's null.
pub fn write(key: Option<&[Part]>) -> String {
    let mut writer = Writer {
        out: MAGIC.to_vec(),
        classes: Vec::new(),
        handles: 0,
    };
    match key {
        None => writer.out.push(NULL),
        Some(parts) => writer.array(parts),
    }
    use std::fmt::Write;
    writer.out.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

struct Writer {
    out: Vec<u8>,
    classes: Vec<(&'static str, u32)>,
    handles: u32,
}

impl Writer {
    fn array(&mut self, parts: &[Part]) {
        self.out.push(ARRAY);
        self.class(&[OBJECTS]);
        self.handles += 1;
        self.out.extend((parts.len() as u32).to_be_bytes());
        for part in parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Null => self.out.push(NULL),
            Part::Int(number) => self.object(&[INTEGER, NUMBER], &number.to_be_bytes()),
            Part::Long(number) => self.object(&[LONG, NUMBER], &number.to_be_bytes()),
            Part::Uuid(bits) => {
                let halves = [*bits as u64, (*bits >> 64) as u64].map(u64::to_be_bytes);
                self.object(&[UUID], &halves.concat());
            }
            Part::Text(text) => self.string(text),
        }
    }

    fn object(&mut self, classes: &[Class], fields: &[u8]) {
        self.out.push(OBJECT);
        self.class(classes);
        self.handles += 1;
        self.out.extend(fields);
    }

    /// A class and those above it; a reference if it was written before.
    fn class(&mut self, classes: &[Class]) {
        let Some(((name, version, fields), above)) = classes.split_first() else {
            self.out.push(NULL);
            return;
        };
        if let Some((_, handle)) = self.classes.iter().find(|(known, _)| known == name) {
            self.out.push(REFERENCE);
            self.out.extend((FIRST_HANDLE + handle).to_be_bytes());
            return;
        }
        self.out.push(CLASS);
        self.utf(name);
        self.out.extend(version.to_be_bytes());
        self.classes.push((name, self.handles));
        self.handles += 1;
        self.out.push(SERIALIZABLE);
        self.out.extend((fields.len() as u16).to_be_bytes());
        for (kind, name) in *fields {
            self.out.push(*kind);
            self.utf(name);
        }
        self.out.push(END);
        self.class(above);
    }

    fn string(&mut self, text: &str) {
        self.out.push(STRING);
        self.handles += 1;
        self.utf(text);
    }

    /// Longer texts than a key can be are cut: an index holds less than 3 kB.
    fn utf(&mut self, text: &str) {
        let bytes = modified_utf8(text);
        let bytes = bytes.get(..usize::from(u16::MAX)).unwrap_or(&bytes);
        self.out.extend((bytes.len() as u16).to_be_bytes());
        self.out.extend(bytes);
    }
}

/// Java's own encoding: surrogates one by one, zero as two bytes.
pub(crate) fn modified_utf8(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match unit {
            1..=0x7f => out.push(unit as u8),
            0 | 0x80..=0x7ff => {
                out.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
            _ => out.extend([
                0xe0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3f) as u8,
                0x80 | (unit & 0x3f) as u8,
            ]),
        }
    }
    out
}

fn from_modified_utf8(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().map(|byte| u16::from(*byte));
    while let Some(first) = bytes.next() {
        let mut more = || bytes.next().filter(|b| b & 0xc0 == 0x80).map(|b| b & 0x3f);
        units.push(match first {
            0..0x80 => first,
            0xc0..0xe0 => (first & 0x1f) << 6 | more()?,
            0xe0..0xf0 => {
                let high = more()?;
                (first & 0xf) << 12 | high << 6 | more()?
            }
            _ => return None,
        });
    }
    String::from_utf16(&units).ok()
}

/// Reads what [`write`] or Debezium wrote. The outer `None`: it has something that is not known here.
pub fn read(hex: &str) -> Option<Option<Vec<Part>>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2);
    let bytes: Vec<u8> = pairs.map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    let mut reader = Reader {
        rest: bytes.strip_prefix(MAGIC)?,
        handles: Vec::new(),
    };
    match reader.byte()? {
        NULL => Some(None),
        ARRAY => reader.array().map(Some),
        _ => None,
    }
}

/// What a handle stands for.
#[derive(Clone)]
enum Handle {
    Class(Described),
    Text(String),
    Other,
}

/// A class: its name and the types of its fields, those of the classes above it first.
#[derive(Clone)]
struct Described {
    name: String,
    fields: Vec<u8>,
}

struct Reader<'a> {
    rest: &'a [u8],
    handles: Vec<Handle>,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn utf(&mut self) -> Option<String> {
        let len = u16::from_be_bytes(self.take()?);
        let (text, rest) = self.rest.split_at_checked(usize::from(len))?;
        self.rest = rest;
        from_modified_utf8(text)
    }

    fn array(&mut self) -> Option<Vec<Part>> {
        self.class(0)?;
        self.handles.push(Handle::Other);
        let len = u32::from_be_bytes(self.take()?);
        (0..len).map(|_| self.part()).collect()
    }

    fn part(&mut self) -> Option<Part> {
        match self.byte()? {
            NULL => Some(Part::Null),
            STRING => {
                let text = self.utf()?;
                self.handles.push(Handle::Text(text.clone()));
                Some(Part::Text(text))
            }
            REFERENCE => match self.reference()? {
                Handle::Text(text) => Some(Part::Text(text)),
                _ => None,
            },
            OBJECT => self.object(),
            _ => None,
        }
    }

    fn object(&mut self) -> Option<Part> {
        let class = self.class(0)??;
        self.handles.push(Handle::Other);
        match (class.name.as_str(), class.fields.as_slice()) {
            ("java.lang.Integer", b"I") => Some(Part::Int(i32::from_be_bytes(self.take()?))),
            ("java.lang.Short", b"S") => {
                Some(Part::Int(i32::from(i16::from_be_bytes(self.take()?))))
            }
            ("java.lang.Long", b"J") => Some(Part::Long(i64::from_be_bytes(self.take()?))),
            ("java.util.UUID", b"JJ") => {
                let (low, high) = (u64::from_be_bytes(self.take()?), self.take()?);
                Some(Part::Uuid(
                    u128::from(u64::from_be_bytes(high)) << 64 | u128::from(low),
                ))
            }
            _ => None,
        }
    }

    fn reference(&mut self) -> Option<Handle> {
        let handle = u32::from_be_bytes(self.take()?).checked_sub(FIRST_HANDLE)?;
        self.handles.get(handle as usize).cloned()
    }

    /// A class; the inner `None` for none. Classes are not nested deeper than a few levels.
    fn class(&mut self, depth: u8) -> Option<Option<Described>> {
        match self.byte()? {
            NULL => Some(None),
            REFERENCE => match self.reference()? {
                Handle::Class(class) => Some(Some(class)),
                _ => None,
            },
            CLASS if depth < 8 => {
                let name = self.utf()?;
                self.take::<8>()?;
                let handle = self.handles.len();
                self.handles.push(Handle::Other);
                // Others write what only their class can read.
                (self.byte()? == SERIALIZABLE).then_some(())?;
                let count = u16::from_be_bytes(self.take()?);
                let mut own = Vec::new();
                for _ in 0..count {
                    let kind = self.byte()?;
                    own.push(kind);
                    self.utf()?;
                    b"BCDFIJSZ".contains(&kind).then_some(())?;
                }
                (self.byte()? == END).then_some(())?;
                let mut fields = self.class(depth + 1)?.map_or(Vec::new(), |c| c.fields);
                fields.extend(own);
                let class = Described { name, fields };
                *self.handles.get_mut(handle)? = Handle::Class(class.clone());
                Some(Some(class))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ObjectOutputStream` writes for `new Object[]{5}`.
    const FIVE: &str = "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000001\
        737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565\
        787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b020000787000000005";

    #[test]
    fn an_integer_is_written_as_java_does() {
        assert_eq!(write(Some(&[Part::Int(5)])), FIVE);
        assert_eq!(read(FIVE), Some(Some(vec![Part::Int(5)])));
        assert_eq!(write(None), "aced000570");
        assert_eq!(read("aced000570"), Some(None));
    }

    #[test]
    fn keys_come_back() {
        let key = vec![
            Part::Long(-1),
            Part::Int(7),
            Part::Int(8),
            Part::Text("ä\0𝄞".into()),
            Part::Null,
            Part::Uuid(uuid_bits("01234567-89ab-cdef-0123-456789abcdef").unwrap()),
            Part::Long(i64::MAX),
        ];
        assert_eq!(read(&write(Some(&key))), Some(Some(key.clone())));
        let texts: Vec<Option<String>> = key.iter().map(Part::text).collect();
        assert_eq!(
            texts[5].as_deref(),
            Some("01234567-89ab-cdef-0123-456789abcdef")
        );
        let whole = write(Some(&key));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "every prefix is refused");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String, bytes: Vec<u8>) {
            let _ = read(&text);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = read(&format!("aced0005{hex}"));
        }

        #[test]
        fn texts_come_back(text: String) {
            let key = vec![Part::Text(text)];
            proptest::prop_assert_eq!(read(&write(Some(&key))), Some(Some(key)));
        }
    }
}
