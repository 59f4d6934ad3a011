//! Keys as Java writes them.

use connect_core::decimal;

use super::{
    ARRAY, BLOCK, CLASS, END, FIRST_HANDLE, MAGIC, NULL, OBJECT, Part, REFERENCE, SERIALIZABLE,
    STRING, WRITES_MORE, modified_utf8,
};

/// A class: its name, its version, whether it writes more than its fields, and these: type, name, and for objects their class.
type Class = (&'static str, u64, u8, &'static [Field]);
type Field = (u8, &'static str, &'static str);

const OBJECTS: Class = (
    "[Ljava.lang.Object;",
    0x90ce_589f_1073_296c,
    SERIALIZABLE,
    &[],
);
const BYTES: Class = ("[B", 0xacf3_17f8_0608_54e0, SERIALIZABLE, &[]);
const NUMBER: Class = ("java.lang.Number", 0x86ac_951d_0b94_e08b, SERIALIZABLE, &[]);
const INTEGER: Class = one(
    "java.lang.Integer",
    0x12e2_a0a4_f781_8738,
    &[(b'I', "value", "")],
);
const LONG: Class = one(
    "java.lang.Long",
    0x3b8b_e490_cc8f_23df,
    &[(b'J', "value", "")],
);
const BOOLEAN: Class = one(
    "java.lang.Boolean",
    0xcd20_7280_d59c_faee,
    &[(b'Z', "value", "")],
);
const FLOAT: Class = one(
    "java.lang.Float",
    0xdaed_c9a2_db3c_f0ec,
    &[(b'F', "value", "")],
);
const DOUBLE: Class = one(
    "java.lang.Double",
    0x80b3_c24a_296b_fb04,
    &[(b'D', "value", "")],
);
const UUID: Class = one(
    "java.util.UUID",
    0xbc99_03f7_986d_852f,
    &[(b'J', "leastSigBits", ""), (b'J', "mostSigBits", "")],
);
const SQL_DATE: Class = one("java.sql.Date", 0x14fa_4668_3f35_6697, &[]);
const DATE: Class = (
    "java.util.Date",
    0x686a_8101_4b59_7419,
    SERIALIZABLE | WRITES_MORE,
    &[],
);
const DECIMAL: Class = (
    "java.math.BigDecimal",
    0x54c7_1557_f981_284f,
    SERIALIZABLE | WRITES_MORE,
    &[
        (b'I', "scale", ""),
        (b'L', "intVal", "Ljava/math/BigInteger;"),
    ],
);
const BIG_INTEGER: Class = (
    "java.math.BigInteger",
    0x8cfc_9f1f_a93b_fb1d,
    SERIALIZABLE | WRITES_MORE,
    &[
        (b'I', "bitCount", ""),
        (b'I', "bitLength", ""),
        (b'I', "firstNonzeroByteNum", ""),
        (b'I', "lowestSetBit", ""),
        (b'I', "signum", ""),
        (b'[', "magnitude", "[B"),
    ],
);
/// What Java writes for fields that it has no use for any more.
const UNUSED: [i32; 4] = [-1, -1, -2, -2];
const DAY_MS: i64 = 86_400_000;
/// Debezium reads a date in the zone of its machine. At half past ten in UTC it is the same from Hawaii to New Zealand.
const WITHIN_DAY_MS: i64 = 10 * 3_600_000 + 1_800_000;
/// What the driver has for infinite dates.
const FOREVER_MS: [i64; 2] = [-9_223_372_036_832_400_000, 9_223_372_036_825_200_000];

const fn one(name: &'static str, version: u64, fields: &'static [Field]) -> Class {
    (name, version, SERIALIZABLE, fields)
}

/// A key as hex text; `None` is Java's null.
pub fn write(key: Option<&[Part]>) -> String {
    let mut writer = Writer {
        out: MAGIC.to_vec(),
        known: Vec::new(),
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
    /// Classes and their names in fields, with their handles.
    known: Vec<((u8, &'static str), u32)>,
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
            Part::Bool(is) => self.object(&[BOOLEAN], &[u8::from(*is)]),
            Part::Float(bits) => self.object(&[FLOAT, NUMBER], &bits.to_be_bytes()),
            Part::Double(bits) => self.object(&[DOUBLE, NUMBER], &bits.to_be_bytes()),
            Part::Date(days) => self.date(*days),
            Part::Uuid(bits) => {
                let halves = [*bits as u64, (*bits >> 64) as u64].map(u64::to_be_bytes);
                self.object(&[UUID], &halves.concat());
            }
            Part::Decimal(text) => self.decimal(text),
            Part::Text(text) => self.string(text),
            Part::Bytes(bytes) => self.bytes(bytes),
        }
    }

    fn object(&mut self, classes: &[Class], fields: &[u8]) {
        self.out.push(OBJECT);
        self.class(classes);
        self.handles += 1;
        self.out.extend(fields);
    }

    fn date(&mut self, days: i64) {
        let ms = days
            .checked_mul(DAY_MS)
            .and_then(|ms| ms.checked_add(WITHIN_DAY_MS));
        let [past, future] = FOREVER_MS;
        let ms = ms.filter(|ms| (past..future).contains(ms));
        let ms = ms.unwrap_or(if days < 0 { past } else { future });
        self.object(&[SQL_DATE, DATE], &[BLOCK, 8]);
        self.out.extend(ms.to_be_bytes());
        self.out.push(END);
    }

    /// What is no number (`NaN`, infinities) stays a text.
    fn decimal(&mut self, text: &str) {
        let scale = text
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let mut unscaled = Vec::new();
        if decimal::unscaled(text.as_bytes(), scale, &mut unscaled).is_err() {
            return self.string(text);
        }
        let (signum, magnitude) = magnitude(&unscaled);
        self.object(&[DECIMAL, NUMBER], &(scale as u32).to_be_bytes());
        self.object(&[BIG_INTEGER, NUMBER], &[]);
        for number in UNUSED.into_iter().chain([signum]) {
            self.out.extend(number.to_be_bytes());
        }
        self.bytes(&magnitude);
        self.out.extend([END, END]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.out.push(ARRAY);
        self.class(&[BYTES]);
        self.handles += 1;
        self.out.extend((bytes.len() as u32).to_be_bytes());
        self.out.extend(bytes);
    }

    /// A class and those above it; a reference if it was written before.
    fn class(&mut self, classes: &[Class]) {
        let Some(((name, version, flags, fields), above)) = classes.split_first() else {
            self.out.push(NULL);
            return;
        };
        if self.refers((CLASS, name)) {
            return;
        }
        self.out.push(CLASS);
        self.utf(name);
        self.out.extend(version.to_be_bytes());
        self.remember((CLASS, name));
        self.out.push(*flags);
        self.out.extend((fields.len() as u16).to_be_bytes());
        for (kind, name, class) in *fields {
            self.out.push(*kind);
            self.utf(name);
            if !class.is_empty() && !self.refers((STRING, class)) {
                self.out.push(STRING);
                self.remember((STRING, class));
                self.utf(class);
            }
        }
        self.out.push(END);
        self.class(above);
    }

    /// Writes a reference to what was written before; whether it was.
    fn refers(&mut self, what: (u8, &'static str)) -> bool {
        let Some((_, handle)) = self.known.iter().find(|(known, _)| *known == what) else {
            return false;
        };
        self.out.push(REFERENCE);
        self.out.extend((FIRST_HANDLE + handle).to_be_bytes());
        true
    }

    fn remember(&mut self, what: (u8, &'static str)) {
        self.known.push((what, self.handles));
        self.handles += 1;
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

/// Sign and absolute value of a number in two's complement, without zeros before it.
fn magnitude(number: &[u8]) -> (i32, Vec<u8>) {
    let is_negative = number.first().is_some_and(|first| *first >= 0x80);
    let mut bytes = number.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (negated, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (negated, over);
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    let signum = match (bytes.is_empty(), is_negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    (signum, bytes)
}
