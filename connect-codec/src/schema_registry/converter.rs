//! A converter of any format with a registry.

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Cell, Datum, Error, Result, Schema, Verdict,
    codec::{Converter, Decode, Decoded, Encode},
    error::INTERNAL,
};

use super::{Client, Format, Registered, Settings, Target, split, writers::Writers};
use crate::error::{NOT_OURS, SCHEMA_KIND, SCHEMA_MISSING};

/// See [`Format`].
pub(crate) struct RegistryConverter<F> {
    shared: Arc<Shared<F>>,
    is_key: bool,
}

struct Shared<F> {
    format: F,
    client: Client,
    settings: Settings,
}

impl<F: Format> RegistryConverter<F> {
    pub(crate) fn new(format: F, client: Client, settings: Settings, is_key: bool) -> Self {
        Self {
            shared: Arc::new(Shared {
                format,
                client,
                settings,
            }),
            is_key,
        }
    }
}

impl<F: Format> Shared<F> {
    async fn encoder(
        &self,
        topic: &str,
        is_key: bool,
        schema: Option<&Arc<Schema>>,
    ) -> Result<Box<dyn Encode>> {
        let Settings {
            register,
            latest,
            fixed,
            strict,
            strategy,
            ..
        } = self.settings;
        let ours = self.format.written(schema)?;
        let subject = strategy.subject(topic, is_key, ours.record.as_deref())?;
        let (id, target, strict) = if register {
            let id = self.client.register(&subject, F::KIND, &ours.text).await?;
            (id, F::registered(ours.text), false)
        } else if let Some(id) = fixed {
            (id, self.client.by_id(id).await?, strict)
        } else if latest {
            let (id, schema) = self.client.latest(&subject).await?;
            (id, schema, strict)
        } else {
            let id = self.client.look_up(&subject, F::KIND, &ours.text).await;
            (id.map_err(not_registered)?, F::registered(ours.text), false)
        };
        of_kind::<F>(&target)?;
        tracing::debug!(topic, subject, id, kind = F::KIND, "a schema is in use");
        let target = Target {
            id,
            schema: &target,
        };
        let compiled = self.format.encoder(schema, target, strict);
        compiled.map_err(|error| error.context("topic", topic))
    }

    async fn reader(&self, id: u32) -> Result<F::Reader> {
        let schema = self.client.by_id(id).await?;
        of_kind::<F>(&schema)?;
        let reader = self.format.reader(&schema);
        reader.map_err(|error| error.context("id", id))
    }
}

fn of_kind<F: Format>(schema: &Registered) -> Result<()> {
    if schema.kind == F::KIND {
        return Ok(());
    }
    Err(Error::new(
        &SCHEMA_KIND,
        "the schema is of another format than the converter's",
    )
    .context("schema", &schema.kind)
    .context("converter", F::KIND))
}

fn not_registered(error: Error) -> Error {
    match error.code() == &SCHEMA_MISSING {
        true => error.context("auto.register.schemas", false),
        false => error,
    }
}

impl<F: Format> Converter for RegistryConverter<F> {
    fn encoder<'a>(
        &'a self,
        topic: &'a str,
        schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        Box::pin(async move {
            match schema {
                // A tombstone's value has no schema, and needs none.
                None => Ok(Box::new(Later {
                    shared: Arc::clone(&self.shared),
                    topic: topic.to_owned(),
                    is_key: self.is_key,
                    made: None,
                }) as Box<dyn Encode>),
                some => self.shared.encoder(topic, self.is_key, some).await,
            }
        })
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(RegistryDecoder {
            writers: Writers::new(self.shared.settings.cache),
            shared: Arc::clone(&self.shared),
        })
    }
}

struct RegistryDecoder<F: Format> {
    shared: Arc<Shared<F>>,
    writers: Writers<F::Reader>,
}

impl<F: Format> Decode for RegistryDecoder<F> {
    fn knows(&self, bytes: Option<&[u8]>) -> bool {
        // Bytes that are not ours are told so by `decode`.
        bytes
            .and_then(split)
            .is_none_or(|(id, _)| self.writers.has(id))
    }

    fn learn<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some((id, _)) = split(bytes) else {
                return Ok(());
            };
            let found = self.shared.reader(id).await;
            match found {
                Err(error) if error.verdict() != Verdict::Reject => Err(error),
                found => {
                    self.writers.keep(id, found.map(Arc::new));
                    Ok(())
                }
            }
        })
    }

    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded> {
        let Some(bytes) = bytes else {
            return Ok(Decoded {
                schema: None,
                cell: Cell::Null,
            });
        };
        let (id, payload) = split(bytes).ok_or_else(|| {
            Error::new(
                &NOT_OURS,
                "Unknown magic byte: the record does not begin with the number of a schema",
            )
        })?;
        let reader = self.writers.get(id).unwrap_or_else(|| {
            Err(Error::new(&NOT_OURS, "the schema of a record was not fetched").context("id", id))
        })?;
        let decoded = self.shared.format.decode(&reader, payload, batch);
        decoded.map_err(|error| error.context("id", id))
    }
}

/// An encoder for values without schema: nulls need none, and of the others there may never be one.
struct Later<F: Format> {
    shared: Arc<Shared<F>>,
    topic: String,
    is_key: bool,
    made: Option<Box<dyn Encode>>,
}

impl<F: Format> Encode for Later<F> {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if datum.is_null() || datum.is_absent() {
            return Ok(false);
        }
        match &mut self.made {
            Some(made) => made.encode(datum, out),
            None => Err(Error::new(
                &INTERNAL,
                "a schema was not registered before a value was written",
            )),
        }
    }

    fn pending(&mut self) -> Option<BoxFuture<'_, Result<()>>> {
        if self.made.is_some() {
            return None;
        }
        Some(Box::pin(async move {
            let made = self.shared.encoder(&self.topic, self.is_key, None).await?;
            self.made = Some(made);
            Ok(())
        }))
    }
}
