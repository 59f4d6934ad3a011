//! `StringConverter`: values as text.

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Cell, Datum, Error, Finding, Properties, Result, Schema, Type,
    codec::{Converter, Decode, Decoded, Encode},
    config::read_default,
};

use crate::{
    error::NOT_OURS,
    plain_text::{Style, write_plain},
};

/// Kafka Connect's `StringConverter`. Writes any value as Java's `toString` does; reads text.
#[derive(Debug, Clone, Copy, Default)]
pub struct StringConverter {
    charset: Charset,
}

/// The character sets of `converter.encoding` that are supported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Charset {
    #[default]
    Utf8,
    Ascii,
    Latin1,
    Utf16 {
        big: bool,
    },
}

struct StringCodec {
    charset: Charset,
    schema: Arc<Schema>,
    scratch: Vec<u8>,
}

impl StringConverter {
    /// A converter from its properties; the error has all findings.
    pub fn from_properties(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let name: Option<String> =
            read_default(given, "converter.encoding", "UTF-8", &mut findings);
        let name = name.unwrap_or_default();
        match Charset::of(&name) {
            Some(charset) => Ok(Self { charset }),
            None => Err(vec![Finding::invalid(
                "converter.encoding",
                &name,
                "Supported are UTF-8, US-ASCII, ISO-8859-1, UTF-16BE and UTF-16LE",
            )]),
        }
    }

    fn codec(self) -> StringCodec {
        StringCodec {
            charset: self.charset,
            schema: Arc::new(Schema::of(Type::String).optional()),
            scratch: Vec::new(),
        }
    }
}

impl Converter for StringConverter {
    fn encoder<'a>(
        &'a self,
        _topic: &'a str,
        _schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        let codec: Box<dyn Encode> = Box::new(self.codec());
        Box::pin(std::future::ready(Ok(codec)))
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(self.codec())
    }
}

impl Encode for StringCodec {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if datum.is_null() || datum.is_absent() {
            return Ok(false);
        }
        if self.charset == Charset::Utf8 {
            let start = out.len();
            return match write_plain(datum, Style::Java, false, out) {
                Ok(()) => Ok(true),
                Err(err) => {
                    out.truncate(start);
                    Err(err)
                }
            };
        }
        self.scratch.clear();
        write_plain(datum, Style::Java, false, &mut self.scratch)?;
        self.charset
            .write(&String::from_utf8_lossy(&self.scratch), out);
        Ok(true)
    }
}

impl Decode for StringCodec {
    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded> {
        let cell = match bytes {
            None => Cell::Null,
            Some(bytes) if self.charset == Charset::Utf8 => {
                match simdutf8::basic::from_utf8(bytes) {
                    Ok(_) => batch.push_bytes(bytes),
                    Err(_) => return Err(Error::new(&NOT_OURS, "The bytes are not UTF-8")),
                }
            }
            Some(bytes) => batch.push_bytes(self.charset.read(bytes).as_bytes()),
        };
        Ok(Decoded {
            schema: Some(Arc::clone(&self.schema)),
            cell,
        })
    }
}

impl Charset {
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "US-ASCII" | "ASCII" => Self::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "LATIN1" => Self::Latin1,
            "UTF-16BE" | "UTF_16BE" => Self::Utf16 { big: true },
            "UTF-16LE" | "UTF_16LE" => Self::Utf16 { big: false },
            _ => return None,
        })
    }

    /// As Java does: a character that the set does not have becomes `?`.
    fn write(self, text: &str, out: &mut Vec<u8>) {
        let narrow = |most: u32| {
            text.chars().map(move |letter| {
                let code = u32::from(letter);
                u8::try_from(code)
                    .ok()
                    .filter(|_| code <= most)
                    .unwrap_or(b'?')
            })
        };
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Ascii => out.extend(narrow(0x7f)),
            Self::Latin1 => out.extend(narrow(0xff)),
            Self::Utf16 { big: true } => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Utf16 { big: false } => {
                out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            }
        }
    }

    fn read(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Ascii => {
                let letter = |b: &u8| {
                    if b.is_ascii() {
                        char::from(*b)
                    } else {
                        '\u{fffd}'
                    }
                };
                bytes.iter().map(letter).collect()
            }
            Self::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
            Self::Utf16 { big } => {
                let unit = |pair: &[u8]| match pair {
                    [a, b] if big => u16::from_be_bytes([*a, *b]),
                    [a, b] => u16::from_le_bytes([*a, *b]),
                    _ => 0xfffd,
                };
                let units: Vec<u16> = bytes.chunks(2).map(unit).collect();
                String::from_utf16_lossy(&units)
            }
        }
    }
}
