//! The texts of arrays (`{1,NULL,"a\"b"}`) and of `hstore` (`"k"=>"v", "n"=>NULL`).

use cdc::text::Text;
use connect_core::{Batch, Cell, Error, Result};

use crate::{
    convert::{self, Op},
    error, geometry,
};

/// Arrays in arrays beyond this depth are refused; PostgreSQL knows six dimensions.
const DEPTH: usize = 6;

/// The cell of an array.
pub(crate) fn cell(item: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    // `[0:2]={…}` when the first index is not 1.
    let start = match bytes.first() {
        Some(b'[') => memchr::memchr(b'=', bytes).map_or(bytes.len(), |at| at + 1),
        _ => 0,
    };
    let mut reader = Reader {
        delimiter: match item {
            Op::Geometry => geometry::DELIMITER,
            _ => b',',
        },
        text,
        rest: bytes.get(start..).unwrap_or(&[]),
    };
    let mut cells = Vec::new();
    reader.array(item, &mut cells, out, DEPTH)?;
    let cell = out.push_nest(&cells);
    if reader.rest.is_empty() {
        Ok(cell)
    } else {
        Err(malformed())
    }
}

#[cold]
fn malformed() -> Error {
    error::value("an array is malformed")
}

struct Reader<'a> {
    delimiter: u8,
    text: Text<'a>,
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Appends the items. The type of a column does not tell dimensions, so its schema has one: items of inner arrays
    /// follow each other.
    fn array(
        &mut self,
        item: &Op,
        cells: &mut Vec<Cell>,
        out: &mut Batch,
        depth: usize,
    ) -> Result<()> {
        let deeper = depth.checked_sub(1).ok_or_else(malformed)?;
        self.expect(b'{')?;
        if self.rest.first() == Some(&b'}') {
            return self.expect(b'}');
        }
        loop {
            match self.rest.first() {
                Some(b'{') => self.array(item, cells, out, deeper)?,
                Some(b'"') => cells.push(self.quoted(item, out)?),
                _ => cells.push(self.plain(item, out)?),
            }
            match self.rest.split_first() {
                Some((byte, rest)) if *byte == self.delimiter => self.rest = rest,
                _ => break,
            }
        }
        self.expect(b'}')
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        self.rest = self.rest.strip_prefix(&[byte]).ok_or_else(malformed)?;
        Ok(())
    }

    fn plain(&mut self, item: &Op, out: &mut Batch) -> Result<Cell> {
        let end = memchr::memchr2(self.delimiter, b'}', self.rest).ok_or_else(malformed)?;
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        if value.eq_ignore_ascii_case(b"NULL") {
            return Ok(Cell::Null);
        }
        if memchr::memchr(b'\\', value).is_some() {
            return convert::cell(item, Text::loose(&unescaped(value)), out);
        }
        convert::cell(item, self.text.part(value), out)
    }

    fn quoted(&mut self, item: &Op, out: &mut Batch) -> Result<Cell> {
        let (value, rest, escaped) = quoted(self.rest).ok_or_else(malformed)?;
        self.rest = rest;
        if escaped {
            return convert::cell(item, Text::loose(&unescaped(value)), out);
        }
        convert::cell(item, self.text.part(value), out)
    }
}

/// Splits `"…"rest` into what is between the quotes, the rest, and whether a backslash is in it.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let inner = text.strip_prefix(b"\"")?;
    let mut at = 0;
    let mut escaped = false;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
        if inner.get(at)? == &b'"' {
            let (value, rest) = inner.split_at(at);
            return Some((value, rest.get(1..)?, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Every backslash stands for the byte after it.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let byte = if *byte == b'\\' {
            bytes.next().unwrap_or(byte)
        } else {
            byte
        };
        out.push(*byte);
    }
    out
}

/// The keys and values of an `hstore`; `None` for null.
fn entries(mut text: &[u8]) -> Result<Vec<(String, Option<String>)>> {
    let broken = || error::value("an hstore is malformed");
    let owned = |bytes: &[u8]| {
        String::from_utf8(unescaped(bytes))
            .map_err(|_| Error::new(&error::ENCODING, "a text is not UTF-8"))
    };
    let mut entries = Vec::new();
    while !text.is_empty() {
        let (key, rest, _) = quoted(text).ok_or_else(broken)?;
        let rest = rest.strip_prefix(b"=>").ok_or_else(broken)?;
        let (value, rest) = match rest.strip_prefix(b"NULL") {
            Some(rest) => (None, rest),
            None => {
                let (value, rest, _) = quoted(rest).ok_or_else(broken)?;
                (Some(owned(value)?), rest)
            }
        };
        entries.push((owned(key)?, value));
        text = match rest {
            [] => rest,
            // Nothing behind a comma is a broken text, not an end.
            _ => rest
                .strip_prefix(b", ")
                .filter(|more| !more.is_empty())
                .ok_or_else(broken)?,
        };
    }
    Ok(in_java_order(entries))
}

/// The order in which Java's `HashMap` gives them, which is Debezium's: by bucket, then as they came.
fn in_java_order(entries: Vec<(String, Option<String>)>) -> Vec<(String, Option<String>)> {
    // Doubled whenever three quarters are full.
    let buckets = entries
        .len()
        .saturating_mul(4)
        .div_ceil(3)
        .next_power_of_two();
    let mask = u32::try_from(buckets.max(16) - 1).unwrap_or(u32::MAX);
    let bucket = |key: &str| {
        let hash = |hash: u32, unit: u16| hash.wrapping_mul(31).wrapping_add(u32::from(unit));
        let hash = key.encode_utf16().fold(0, hash);
        (hash ^ hash >> 16) & mask
    };
    let mut entries = entries;
    entries.sort_by_cached_key(|(key, _)| bucket(key));
    entries
}

/// An `hstore` as a JSON object of texts and nulls.
pub(crate) fn hstore_json(text: &[u8], out: &mut Batch) -> Result<Cell> {
    let object: serde_json::Map<String, serde_json::Value> = entries(text)?
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    let json = serde_json::Value::from(object).to_string();
    Ok(out.push_bytes(json.as_bytes()))
}

/// An `hstore` as a map of texts and nulls.
pub(crate) fn hstore_map(text: &[u8], out: &mut Batch) -> Result<Cell> {
    let mut cells = Vec::new();
    for (key, value) in entries(text)? {
        cells.push(out.push_bytes(key.as_bytes()));
        cells.push(value.map_or(Cell::Null, |value| out.push_bytes(value.as_bytes())));
    }
    Ok(out.push_nest(&cells))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_core::{Datum, Schema, Type, Value};

    use super::*;

    fn read(op: &Op, item: Type, text: &str) -> Result<Value> {
        let mut out = Batch::default();
        let made = cell(op, Text::loose(text.as_bytes()), &mut out)?;
        let schema = Arc::new(Schema::of(Type::Array(Arc::new(Schema::of(item)))));
        Ok(Datum::of(&out, Some(&schema), made).to_value())
    }

    #[test]
    fn items_are_plain_quoted_or_null() {
        let texts = read(
            &Op::Text,
            Type::String,
            r#"{a,"b \"c\" \\",NULL,"","NULL"}"#,
        )
        .unwrap();
        let text = |text: &str| Value::Str(text.to_owned());
        let expected = [
            text("a"),
            text("b \"c\" \\"),
            Value::Null,
            text(""),
            text("NULL"),
        ];
        assert_eq!(texts, Value::Array(expected.to_vec()));
        assert_eq!(
            read(&Op::Int, Type::Int32, "{}").unwrap(),
            Value::Array(vec![])
        );
        let nested = read(&Op::Int, Type::Int32, "{{1,2},{3,4}}").unwrap();
        assert_eq!(nested, Value::Array((1..5).map(Value::Int).collect()));
        let shifted = read(&Op::Int, Type::Int32, "[0:1]={1,2}").unwrap();
        assert_eq!(shifted, Value::Array(vec![Value::Int(1), Value::Int(2)]));
    }

    #[test]
    fn every_prefix_fails_politely() {
        let whole = r#"{{"a\"b",c},{NULL,d}}"#;
        for end in 0..whole.len() {
            assert!(read(&Op::Text, Type::String, &whole[..end]).is_err());
        }
        assert!(read(&Op::Text, Type::String, &"{".repeat(1000)).is_err());
    }

    #[test]
    fn hstore_as_json_and_as_map() {
        let text = r#""a"=>"1", "b\"c"=>NULL"#;
        let mut out = Batch::default();
        let cell = hstore_json(text.as_bytes(), &mut out).unwrap();
        let schema = Arc::new(Schema::of(Type::String));
        let json = Datum::of(&out, Some(&schema), cell).to_value();
        assert_eq!(json, Value::Str(r#"{"a":"1","b\"c":null}"#.to_owned()));
        assert_eq!(entries(b"").unwrap(), []);
        let many = entries(r#""é"=>"1", "back"=>"2", "arrow"=>"3", "comma"=>"4"#.as_bytes());
        assert!(many.is_err());
        let many =
            r#""é"=>"1", "back"=>"2", "arrow"=>"3", "comma"=>"4", "empty"=>"", "quote"=>"6""#;
        let keys: Vec<String> = entries(many.as_bytes())
            .unwrap()
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(keys, ["comma", "quote", "arrow", "é", "back", "empty"]);
        for end in 1..text.len() {
            let whole = text[..end].ends_with("\"1\"");
            assert_eq!(
                entries(&text.as_bytes()[..end]).is_ok(),
                whole,
                "{}",
                &text[..end]
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panic(text: Vec<u8>) {
            let _ = cell(&Op::Text, Text::loose(&text), &mut Batch::default());
            let _ = entries(&text);
        }
    }
}
