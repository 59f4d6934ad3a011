//! Reads JSON from bytes that came from outside. Never panics, never nests without bound.

use connect_core::{Error, Result, Value};
use rustc_hash::FxHashMap;

use crate::error::JSON_SYNTAX;

/// How deep objects and arrays may nest.
pub(super) const MAX_DEPTH: usize = 256;

/// Up to how many entries are compared one by one to find a name that comes twice.
const FEW: usize = 16;

/// A place in JSON text. The text is UTF-8; whoever makes a cursor has checked that.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A string in the text, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted<'a> {
    /// What stands between the quotes.
    pub(super) raw: &'a [u8],
    /// Where that begins.
    pub(super) at: usize,
    /// Whether it has escapes.
    pub(super) escaped: bool,
}

/// A number in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    /// Its characters.
    pub(super) raw: &'a str,
    /// Whether it has neither point nor exponent.
    pub(super) whole: bool,
}

impl<'a> Cursor<'a> {
    /// At the beginning of a text.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// The next byte that is no white space; it is not read.
    pub(super) fn peek(&mut self) -> Result<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(self.wrong("the text ends too early")),
            }
        }
    }

    /// Reads `byte`, after white space.
    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek()? != byte {
            return Err(self.wrong("an unexpected character"));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads `byte` if it comes next, after white space.
    pub(super) fn take(&mut self, byte: u8) -> Result<bool> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Reads these very bytes if they come next.
    pub(super) fn take_exactly(&mut self, bytes: &[u8]) -> bool {
        let found = self.rest().starts_with(bytes);
        self.at += if found { bytes.len() } else { 0 };
        found
    }

    /// Reads `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &'static [u8]) -> Result<()> {
        if self.take_exactly(word) {
            return Ok(());
        }
        Err(self.wrong("an unknown word"))
    }

    /// Fails unless only white space is left.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.wrong("something stands after the value")),
        }
    }

    /// After a member or item: whether another follows, else the object or array is closed.
    pub(super) fn more(&mut self, close: u8) -> Result<bool> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(self.wrong("neither a comma nor the end of an object or array")),
        }
    }

    /// Reads a string, with its quotes.
    pub(super) fn string(&mut self) -> Result<Quoted<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(self.rest());
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => return Err(self.wrong("a control character inside a string")),
                None => return Err(self.wrong("a string without end")),
            }
        }
        let raw = self.bytes.get(start..self.at).unwrap_or(&[]);
        self.at += 1;
        Ok(Quoted {
            raw,
            at: start,
            escaped,
        })
    }

    /// Reads a number.
    pub(super) fn number(&mut self) -> Result<Number<'a>> {
        self.peek()?;
        let (length, whole) =
            number_length(self.rest()).ok_or_else(|| self.wrong("a value is expected"))?;
        let raw = self.rest().get(..length).unwrap_or(&[]);
        self.at += length;
        let raw = std::str::from_utf8(raw).unwrap_or("0");
        Ok(Number { raw, whole })
    }

    /// Reads any value and forgets it; gives its text.
    pub(super) fn skip(&mut self) -> Result<&'a [u8]> {
        self.peek()?;
        let start = self.at;
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek()? {
                b'{' if open.len() < MAX_DEPTH => {
                    self.at += 1;
                    if !self.take(b'}')? {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' if open.len() < MAX_DEPTH => {
                    self.at += 1;
                    if !self.take(b']')? {
                        open.push(b']');
                        continue;
                    }
                }
                b'{' | b'[' => return Err(self.too_deep()),
                _ => self.skip_scalar()?,
            }
            if !self.close(&mut open)? {
                return Ok(self.bytes.get(start..self.at).unwrap_or(&[]));
            }
        }
    }

    /// Reads a member's name with its colon.
    pub(super) fn name(&mut self) -> Result<Quoted<'a>> {
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Reads any value as an owned tree. Of a name that comes twice the last value counts.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::Str(self.string()?.owned()?)),
            b't' => self.word(b"true").map(|()| Value::Bool(true)),
            b'f' => self.word(b"false").map(|()| Value::Bool(false)),
            b'n' => self.word(b"null").map(|()| Value::Null),
            _ => Ok(self.number()?.value()),
        }
    }

    /// An error at this place. It shows where, never what.
    pub(super) fn wrong(&self, what: &'static str) -> Error {
        Error::new(&JSON_SYNTAX, "The bytes are not valid JSON")
            .context("problem", what)
            .context("at byte", self.at)
    }

    fn too_deep(&self) -> Error {
        self.wrong("objects and arrays nest too deep")
    }

    fn skip_scalar(&mut self) -> Result<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number().map(drop),
        }
    }

    /// After a skipped value: whether another one follows.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool> {
        while let Some(end) = open.last().copied() {
            if self.more(end)? {
                if end == b'}' {
                    self.name()?;
                }
                return Ok(true);
            }
            open.pop();
        }
        Ok(false)
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        self.expect(b'{')?;
        let mut entries: Vec<(String, Value)> = Vec::new();
        let mut places: FxHashMap<String, usize> = FxHashMap::default();
        if self.take(b'}')? {
            return Ok(Value::Map(entries));
        }
        loop {
            let name = self.name()?.owned()?;
            let value = self.value(depth + 1)?;
            match place(&name, &entries, &mut places) {
                Some(at) => entries[at].1 = value,
                None => entries.push((name, value)),
            }
            if !self.more(b'}')? {
                return Ok(Value::Map(entries));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        if self.take(b']')? {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.more(b']')? {
                return Ok(Value::Array(items));
            }
        }
    }
}

/// Where a name already stands among the entries; notes new ones when they are many.
fn place(
    name: &str,
    entries: &[(String, Value)],
    places: &mut FxHashMap<String, usize>,
) -> Option<usize> {
    if entries.len() < FEW {
        return entries.iter().position(|(known, _)| known == name);
    }
    if places.is_empty() {
        let known = entries.iter().enumerate();
        places.extend(known.map(|(at, (name, _))| (name.clone(), at)));
    }
    if let Some(at) = places.get(name) {
        return Some(*at);
    }
    places.insert(name.to_owned(), entries.len());
    None
}

impl Quoted<'_> {
    /// The text itself.
    pub(super) fn owned(&self) -> Result<String> {
        let mut text = Vec::with_capacity(self.raw.len());
        self.append(&mut text)?;
        Ok(String::from_utf8(text)
            .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned()))
    }

    /// Appends the text itself. A lone half of a surrogate pair becomes U+FFFD.
    pub(super) fn append(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (plain, escape) = rest.split_at(at);
            out.extend_from_slice(plain);
            let used = unescape(escape, out).ok_or_else(|| {
                Error::new(
                    &JSON_SYNTAX,
                    "A string has an escape that JSON does not know",
                )
            })?;
            rest = escape.get(used..).unwrap_or(&[]);
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

impl Number<'_> {
    /// The number, as digits where neither `i64` nor `f64` holds all of it.
    pub(super) fn value(&self) -> Value {
        if self.whole {
            return match self.raw.parse() {
                Ok(int) => Value::Int(int),
                Err(_) => Value::Digits(without_zeros(self.raw)),
            };
        }
        match self.raw.parse::<f64>() {
            Ok(float) if float.is_finite() && self.is_exact(float) => Value::Float(float),
            _ => Value::Digits(without_zeros(self.raw)),
        }
    }

    /// Whether printing the double gives the same digits again.
    fn is_exact(&self, float: f64) -> bool {
        let mut few = [0; 32];
        match significant(self.raw, &mut few) {
            Some(digits) if digits.len() <= 15 => digits.is_empty() || float != 0.0,
            Some(digits) => {
                let mut again = [0; 32];
                significant(&format!("{float:e}"), &mut again) == Some(digits)
            }
            None => false,
        }
    }
}

/// The digits that count, without zeros at either end; `None` for more than `room` holds.
fn significant<'r>(number: &str, room: &'r mut [u8; 32]) -> Option<&'r [u8]> {
    let digits = number.bytes().take_while(|b| !matches!(b, b'e' | b'E'));
    let digits = digits.filter(u8::is_ascii_digit).skip_while(|b| *b == b'0');
    let mut last = 0;
    for (at, digit) in digits.enumerate() {
        if digit != b'0' {
            last = at + 1;
        }
        if let Some(place) = room.get_mut(at) {
            *place = digit;
        }
    }
    room.get(..last)
}

/// Leading zeros are read, since Kafka Connect's reader allows them, but never written.
fn without_zeros(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let zeros = digits
        .bytes()
        .take(whole.saturating_sub(1))
        .take_while(|b| *b == b'0')
        .count();
    format!("{sign}{}", digits.get(zeros..).unwrap_or(digits))
}

/// Whether the text is one JSON number.
pub(super) fn is_number(text: &[u8]) -> bool {
    number_length(text).is_some_and(|(length, _)| length == text.len())
}

/// How many bytes a number has, and whether it is whole.
fn number_length(text: &[u8]) -> Option<(usize, bool)> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or(&[]);
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = digits(sign);
    let mut at = sign + whole;
    if whole == 0 {
        return None;
    }
    let mut is_whole = true;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
        is_whole = false;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
        is_whole = false;
    }
    Some((at, is_whole))
}

/// How many bytes come before the first quote, backslash or control character.
fn plain_prefix(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    for word in text.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let found = word.wrapping_sub(ONES * 0x20) & !word
            | quote.wrapping_sub(ONES) & !quote
            | slash.wrapping_sub(ONES) & !slash;
        if found & HIGHS != 0 {
            break;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or(&[]);
    let stop = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
    at + rest.iter().position(stop).unwrap_or(rest.len())
}

/// Appends what one escape stands for; tells how many bytes it has.
fn unescape(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let byte = match escape.get(1)? {
        b'u' => return unescape_unit(escape, out),
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 0x0c,
        b'r' => b'\r',
        b'"' => b'"',
        b'\\' => b'\\',
        b'/' => b'/',
        _ => return None,
    };
    out.push(byte);
    Some(2)
}

fn unescape_unit(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let first = unit(escape.get(2..6)?)?;
    let second = match escape.get(6..8) {
        Some(b"\\u") => escape.get(8..12).and_then(unit),
        _ => None,
    };
    let pair = [first, second.unwrap_or_default()];
    let both = second.is_some_and(|s| (0xdc00..0xe000).contains(&s));
    let (letter, used) = match first {
        0xd800..0xdc00 if both => (char::decode_utf16(pair).next()?.ok()?, 12),
        unit => (char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}'), 6),
    };
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    Some(used)
}

fn unit(hex: &[u8]) -> Option<u16> {
    let digits = hex.iter().map(|b| char::from(*b).to_digit(16));
    digits
        .into_iter()
        .try_fold(0, |unit: u16, digit| Some(unit << 4 | digit? as u16))
}
