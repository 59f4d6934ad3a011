//! JSON to cells: the envelope, its schema, and what reads the payload.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Result, Schema, Value,
    codec::{Decode, Decoded},
};

use super::{
    JsonSettings,
    intern::{Interner, Known},
    parse::Cursor,
    read::{Reader, Scratch},
    unavailable::Unavailable,
};
use crate::error::{JSON_SYNTAX, NO_ENVELOPE};

/// The beginning of a record that carries its schema, as converters write it.
const SCHEMA: &[u8] = b"{\"schema\":";
const PAYLOAD: &[u8] = b",\"payload\":";

/// Reads records with or without schemas.
pub(super) struct JsonDecoder {
    settings: Arc<JsonSettings>,
    known: Interner,
    fixed: Option<Known>,
    unavailable: Option<Unavailable>,
    scratch: Scratch,
}

/// A record taken apart.
struct Envelope<'a> {
    known: Option<Known>,
    payload: &'a [u8],
}

impl JsonDecoder {
    pub(super) fn new(settings: Arc<JsonSettings>) -> Self {
        let fixed = settings.schema.as_ref().map(Known::of);
        let unavailable = settings.unavailable.as_ref().map(Unavailable::new);
        Self {
            known: Interner::new(settings.cache_size),
            fixed,
            unavailable,
            scratch: Scratch::default(),
            settings,
        }
    }

    fn envelope<'a>(&mut self, bytes: &'a [u8]) -> Result<Envelope<'a>> {
        if let Some(payload) = self
            .known
            .last_text()
            .and_then(|text| payload_after(bytes, text))
        {
            let known = self.known.last();
            return Ok(Envelope { known, payload });
        }
        let mut cursor = Cursor::new(bytes);
        let (mut schema, mut payload) = (None, None);
        if cursor.peek()? != b'{' {
            return Err(no_envelope());
        }
        cursor.expect(b'{')?;
        let mut open = !cursor.take(b'}')?;
        while open {
            let name = cursor.name()?.owned()?;
            let text = cursor.skip()?;
            match name.as_str() {
                "schema" => schema = Some(text),
                "payload" => payload = Some(text),
                _ => return Err(no_envelope()),
            }
            open = cursor.more(b'}')?;
        }
        cursor.end()?;
        let (Some(schema), Some(payload)) = (schema, payload) else {
            return Err(no_envelope());
        };
        let known = self.known.get(schema)?;
        Ok(Envelope { known, payload })
    }

    fn schemaless(&self, payload: &[u8], batch: &mut Batch) -> Result<Decoded> {
        let mut cursor = Cursor::new(payload);
        let mut value = cursor.value(0)?;
        cursor.end()?;
        if let Some(unavailable) = &self.unavailable {
            unavailable.clear(&mut value);
        }
        let cell = match value {
            Value::Null => Cell::Null,
            Value::Bool(b) => Cell::Bool(b),
            Value::Int(i) => Cell::Int(i),
            Value::Float(f) => Cell::Float(f),
            value => batch.push_free(value),
        };
        Ok(Decoded { schema: None, cell })
    }

    fn with_schema(&mut self, known: &Known, payload: &[u8], batch: &mut Batch) -> Result<Decoded> {
        fits(payload, batch)?;
        let mut reader = Reader::new(
            payload,
            batch,
            &mut self.scratch,
            self.unavailable.as_ref(),
            self.settings.defaults_for_null,
        );
        let cell = reader.whole(&known.node)?;
        Ok(Decoded {
            schema: Some(Arc::clone(&known.schema)),
            cell,
        })
    }
}

/// Reads payloads of one schema, which does not stand in the records.
#[derive(Debug)]
pub(crate) struct FixedReader(Known);

impl FixedReader {
    /// Compiles a schema.
    pub(crate) fn new(schema: &Arc<Schema>) -> Self {
        Self(Known::of(schema))
    }

    /// Reads a payload to its end.
    pub(crate) fn read(
        &self,
        payload: &[u8],
        unavailable: Option<&Unavailable>,
        defaults_for_null: bool,
        batch: &mut Batch,
    ) -> Result<Decoded> {
        if simdutf8::basic::from_utf8(payload).is_err() {
            return Err(Error::new(&JSON_SYNTAX, "The bytes are not UTF-8"));
        }
        fits(payload, batch)?;
        let mut scratch = Scratch::default();
        let mut reader = Reader::new(payload, batch, &mut scratch, unavailable, defaults_for_null);
        let cell = reader.whole(&self.0.node)?;
        Ok(Decoded {
            schema: Some(Arc::clone(&self.0.schema)),
            cell,
        })
    }
}

/// Unescaped text and decimals come behind the copy; spans count in 32 bits.
fn fits(payload: &[u8], batch: &mut Batch) -> Result<()> {
    let most = batch.arena().len() + payload.len() * 4;
    match u32::try_from(most) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(
            &JSON_SYNTAX,
            "A record does not fit into its batch",
        )),
    }
}

impl Decode for JsonDecoder {
    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded> {
        let Some(bytes) = bytes else {
            return Ok(Decoded {
                schema: None,
                cell: Cell::Null,
            });
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if simdutf8::basic::from_utf8(bytes).is_err() {
            return Err(Error::new(&JSON_SYNTAX, "The bytes are not UTF-8"));
        }
        if !self.settings.schemas {
            if bytes.is_empty() {
                return self.decode(None, batch);
            }
            return self.schemaless(bytes, batch);
        }
        let Envelope { known, payload } = match &self.fixed {
            Some(known) => Envelope {
                known: Some(known.clone()),
                payload: bytes,
            },
            None => self.envelope(bytes)?,
        };
        match known {
            Some(known) => self.with_schema(&known, payload, batch),
            None => self.schemaless(payload, batch),
        }
    }
}

/// The payload of a record that begins with a known schema text and has no white space around its parts.
fn payload_after<'a>(bytes: &'a [u8], schema: &[u8]) -> Option<&'a [u8]> {
    let rest = bytes.strip_prefix(SCHEMA)?.strip_prefix(schema)?;
    rest.strip_prefix(PAYLOAD)?.strip_suffix(b"}")
}

fn no_envelope() -> Error {
    Error::new(
        &NO_ENVELOPE,
        "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional \
         fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.",
    )
}
