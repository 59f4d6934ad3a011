//! From serialized records to a batch. Routes are made once per topic and pair of schemas.

use std::sync::Arc;

use connect_core::{
    Batch, Encoded, Error, Header, Record, Result, Route, Schema,
    codec::{Decode, Decoded},
    encoded::EncodedRecord,
};
use rustc_hash::FxHashMap;

use crate::{converters::Converters, tolerance::Stage};

/// More routes than this are forgotten and made again.
const MAX_ROUTES: usize = 10_000;

/// The decoders of one task.
pub(crate) struct Decoder {
    key: Box<dyn Decode>,
    value: Box<dyn Decode>,
    header: Box<dyn Decode>,
    /// By topic, then by schemas; the routes keep these alive.
    routes: FxHashMap<Arc<str>, RoutesOfTopic>,
    made: usize,
    last: Option<Arc<Route>>,
}

/// By the places in memory of the key's and the value's schema.
type RoutesOfTopic = FxHashMap<(usize, usize), Arc<Route>>;

impl Decoder {
    pub(crate) fn new(converters: &Converters) -> Self {
        Self {
            key: converters.key.decoder(),
            value: converters.value.decoder(),
            header: converters.header.decoder(),
            routes: FxHashMap::default(),
            made: 0,
            last: None,
        }
    }

    /// Appends every record to `batch` and its index to `origins`. Those that cannot be decoded are given back by their index.
    pub(crate) fn decode(
        &mut self,
        records: &Encoded,
        batch: &mut Batch,
        origins: &mut Vec<u32>,
    ) -> Vec<(u32, Stage, Error)> {
        let mut refused = Vec::new();
        for (index, record) in (0_u32..).zip(&records.records) {
            match self.one(records, record, batch) {
                Ok(()) => origins.push(index),
                Err((stage, error)) => refused.push((index, stage, error)),
            }
        }
        refused
    }

    fn one(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        batch: &mut Batch,
    ) -> Result<(), (Stage, Error)> {
        let key = self.key.decode(records.key(record), batch);
        let key = key.map_err(|error| (Stage::KeyConverter, error))?;
        let value = self.value.decode(records.value(record), batch);
        let value = value.map_err(|error| (Stage::ValueConverter, error))?;
        let (key_cell, value_cell) = (key.cell, value.cell);
        let route = self.route(&record.topic, key, value);
        let decoded = Record {
            timestamp_ms: record.timestamp_ms,
            partition: record.partition.unwrap_or(Record::NOWHERE),
            offset: record.offset,
            ..Record::new(batch.route_index(route), key_cell, value_cell)
        };
        let encoded = records.headers(record);
        if encoded.is_empty() {
            batch.push(decoded);
            return Ok(());
        }
        let mut headers = Vec::with_capacity(encoded.len());
        for header in encoded {
            let bytes = header.value.as_ref().map(|range| records.slice(range));
            let Decoded { schema, cell } = self
                .header
                .decode(bytes, batch)
                .map_err(|error| (Stage::HeaderConverter, error))?;
            headers.push(Header {
                name: Arc::clone(&header.name),
                schema,
                value: cell,
            });
        }
        batch.push_with_headers(decoded, &headers);
        Ok(())
    }

    fn route(&mut self, topic: &Arc<str>, key: Decoded, value: Decoded) -> &Arc<Route> {
        let last = self
            .last
            .take()
            .filter(|last| fits(last, topic, &key, &value));
        let route = match last {
            Some(last) => last,
            None => self.find(topic, key, value),
        };
        self.last.insert(route)
    }

    fn find(&mut self, topic: &Arc<str>, key: Decoded, value: Decoded) -> Arc<Route> {
        if self.made >= MAX_ROUTES {
            self.routes.clear();
            self.made = 0;
        }
        let of_topic = self.routes.entry(Arc::clone(topic)).or_default();
        let places = (place(key.schema.as_ref()), place(value.schema.as_ref()));
        let made = &mut self.made;
        let route = of_topic.entry(places).or_insert_with(|| {
            *made += 1;
            Route::new(Arc::clone(topic), key.schema, value.schema)
        });
        Arc::clone(route)
    }
}

fn place(schema: Option<&Arc<Schema>>) -> usize {
    schema.map_or(0, |schema| Arc::as_ptr(schema) as usize)
}

fn fits(route: &Route, topic: &Arc<str>, key: &Decoded, value: &Decoded) -> bool {
    let topics = Arc::ptr_eq(route.topic(), topic) || route.topic() == topic;
    topics
        && place(route.key()) == place(key.schema.as_ref())
        && place(route.value()) == place(value.schema.as_ref())
}
