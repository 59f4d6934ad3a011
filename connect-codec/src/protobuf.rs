//! Protobuf in the registry's wire format: Confluent's `ProtobufConverter`.
//!
//! Behind the schema's number stand the indexes of the message in its file: zigzag varints after their count, or one zero
//! byte for the first message.

mod decode;
mod encode;
mod known;
mod plan;
mod text;
mod to_connect;
mod write_schema;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use connect_core::{
    Batch, Result, Schema,
    codec::{Decoded, Encode},
    config::{
        Importance::{Low, Medium},
        Kind,
    },
};

use crate::{
    avro::{
        names::split,
        varint::{read_long, write_long},
    },
    placeholder::Placeholder,
    schema_registry::{
        Declared, Format, Line, Registered, Settings, Target, Written, head, needed,
    },
};
use decode::wrong;
use text::{Compiled, unreadable};

/// Messages nest no deeper.
const MOST_INDEXES: i64 = 32;
/// More messages of one schema are compiled anew for each record: there are hardly as many.
const MOST_MESSAGES: usize = 64;

/// The properties that only Protobuf has.
#[derive(Debug, Clone)]
pub(crate) struct ProtobufSettings {
    /// `scrub.invalid.names`: whether names are made fit.
    scrub: bool,
    /// `enhanced.protobuf.schema.support`: whether names of schemas have their package when read.
    enhanced: bool,
    /// `optional.for.nullables`: whether optional fields are labelled so.
    optional: bool,
    /// `wrapper.for.nullables`: whether optional numbers and texts are messages around them.
    wrapper: bool,
    /// Whether fields have options for what Protobuf has no type for.
    meta: bool,
}

/// Protobuf, as a format of the registry.
pub(crate) struct Protobuf {
    settings: ProtobufSettings,
    keep_nulls: bool,
    unavailable: Option<Placeholder>,
}

/// A schema with which records were written; its messages are compiled when a record is of them.
pub(crate) struct Reader {
    compiled: Compiled,
    messages: parking_lot::Mutex<Vec<(Vec<u32>, Arc<Known>)>>,
}

struct Known {
    schema: Arc<Schema>,
    message: to_connect::Message,
}

impl Protobuf {
    fn known(&self, reader: &Reader, indexes: &[u32]) -> Result<Arc<Known>> {
        let mut messages = reader.messages.lock();
        if let Some((_, known)) = messages.iter().find(|(of, _)| of == indexes) {
            return Ok(Arc::clone(known));
        }
        let message = reader.compiled.message(indexes);
        let message = message
            .ok_or_else(|| wrong("a record names a message that its schema does not have"))?;
        let mut compiler = to_connect::Compiler {
            settings: &self.settings,
            parts: 0,
        };
        let (schema, message) = compiler.message(&message, 0)?;
        let known = Arc::new(Known {
            schema: Arc::new(schema),
            message,
        });
        if messages.len() < MOST_MESSAGES {
            messages.push((indexes.to_vec(), Arc::clone(&known)));
        }
        Ok(known)
    }
}

impl Format for Protobuf {
    const KIND: &'static str = "PROTOBUF";
    #[rustfmt::skip]
    const LINES: &'static [Line] = &[
        ("scrub.invalid.names", Kind::Boolean, Some("false"), Medium, "Whether names that Protobuf does not allow are made fit."),
        ("enhanced.protobuf.schema.support", Kind::Boolean, Some("false"), Medium, "Whether names of schemas have their package when they are read."),
        ("optional.for.nullables", Kind::Boolean, Some("false"), Low, "Whether optional fields have the label `optional`, so that null is told from zero."),
        ("wrapper.for.nullables", Kind::Boolean, Some("false"), Low, "Whether optional numbers and texts are Google's wrapper messages, so that null is told from zero."),
    ];
    type Reader = Reader;

    fn parse(declared: &mut Declared<'_>, of_registry: &Settings) -> Self {
        Self {
            settings: ProtobufSettings {
                scrub: declared.read(Self::LINES, "scrub.invalid.names", false),
                enhanced: declared.read(Self::LINES, "enhanced.protobuf.schema.support", false),
                optional: declared.read(Self::LINES, "optional.for.nullables", false),
                wrapper: declared.read(Self::LINES, "wrapper.for.nullables", false),
                meta: true,
            },
            keep_nulls: of_registry.keep_nulls,
            unavailable: of_registry.unavailable.as_deref().map(Placeholder::new),
        }
    }

    fn written(&self, schema: Option<&Arc<Schema>>) -> Result<Written> {
        let schema = needed(schema, "ProtobufConverter")?;
        let (text, record) = write_schema::proto(schema, &self.settings)?;
        Ok(Written {
            text,
            record: Some(record),
        })
    }

    fn encoder(
        &self,
        schema: Option<&Arc<Schema>>,
        target: Target<'_>,
        strict: bool,
    ) -> Result<Box<dyn Encode>> {
        let schema = needed(schema, "ProtobufConverter")?;
        let compiled = Compiled::new(target.schema)?;
        let name = schema.name.as_deref().map_or("", |name| split(name).1);
        let (index, message) = compiled
            .named(name)
            .ok_or_else(|| unreadable("a Protobuf schema has no message"))?;
        let mut head = head(target.id);
        match index {
            0 => head.push(0),
            index => {
                write_long(1, &mut head);
                write_long(index.into(), &mut head);
            }
        }
        Ok(Box::new(encode::ProtobufEncoder {
            head,
            steps: plan::fields(schema, &message, &self.settings, strict)?,
            keep_nulls: self.keep_nulls,
        }))
    }

    fn reader(&self, schema: &Registered) -> Result<Reader> {
        Ok(Reader {
            compiled: Compiled::new(schema)?,
            messages: parking_lot::Mutex::default(),
        })
    }

    fn decode(&self, reader: &Reader, payload: &[u8], batch: &mut Batch) -> Result<Decoded> {
        let mut payload = payload;
        let indexes = indexes(&mut payload)?;
        let known = self.known(reader, &indexes)?;
        let mut run = decode::Reader::new(payload, self.unavailable.as_ref(), batch)?;
        let cell = run.message(&known.message, payload)?;
        Ok(Decoded {
            schema: Some(Arc::clone(&known.schema)),
            cell,
        })
    }
}

/// Takes the message's indexes off the front.
fn indexes(bytes: &mut &[u8]) -> Result<Vec<u32>> {
    let count = read_long(bytes)?;
    if count == 0 {
        return Ok(vec![0]);
    }
    if !(1..=MOST_INDEXES).contains(&count) {
        return Err(wrong("a record has an odd number of message indexes"));
    }
    let index = |_| u32::try_from(read_long(bytes)?).map_err(|_| wrong("a message index is none"));
    (0..count).map(index).collect()
}
