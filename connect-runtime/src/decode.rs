//! From serialized records to a batch. Routes are made once per topic and pair of schemas.

use std::{ops::Range, sync::Arc};

use connect_core::{
    Batch, Encoded, Error, Header, HeaderRun, Record, Result, Route, Schema,
    codec::{Decode, Decoded},
    encoded::{EncodedHeader, EncodedRecord},
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

/// The headers of the record before. Those that a source gives to every record are decoded once.
#[derive(Default)]
struct Shared {
    encoded: Range<usize>,
    decoded: HeaderRun,
}

impl Shared {
    /// Whether other headers are the same.
    fn is_that_of(&self, records: &Encoded, other: &Range<usize>) -> bool {
        let all = &records.headers;
        let of = |range: &Range<usize>| all.get(range.clone()).unwrap_or(&[]);
        let (mine, others) = (of(&self.encoded), of(other));
        let value =
            |header: &EncodedHeader| header.value.as_ref().map(|range| records.slice(range));
        mine.len() == others.len()
            && (mine.iter().zip(others))
                .all(|(one, other)| one.name == other.name && value(one) == value(other))
    }
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
    /// An error is about none of them: what a decoder has to ask is away.
    pub(crate) async fn decode(
        &mut self,
        records: &Encoded,
        batch: &mut Batch,
        origins: &mut Vec<u32>,
    ) -> Result<Vec<(u32, Stage, Error)>> {
        let mut refused = Vec::new();
        let mut last = Shared::default();
        for (index, record) in (0_u32..).zip(&records.records) {
            learn(&mut self.key, records.key(record)).await?;
            learn(&mut self.value, records.value(record)).await?;
            match self.one(records, record, &mut last, batch) {
                Ok(()) => origins.push(index),
                Err((stage, error)) => refused.push((index, stage, error)),
            }
        }
        Ok(refused)
    }

    fn one(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        last: &mut Shared,
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
        if !last.is_that_of(records, &record.headers) {
            let headers = self.headers(records, record, batch);
            let headers = headers.map_err(|error| (Stage::HeaderConverter, error))?;
            *last = Shared {
                encoded: record.headers.clone(),
                decoded: batch.push_headers(&headers),
            };
        }
        batch.push(decoded.with(last.decoded));
        Ok(())
    }

    fn headers(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        batch: &mut Batch,
    ) -> Result<Vec<Header>> {
        let encoded = records.headers(record).iter();
        let one = |header: &EncodedHeader| {
            let bytes = header.value.as_ref().map(|range| records.slice(range));
            let Decoded { schema, cell } = self.header.decode(bytes, batch)?;
            Ok(Header {
                name: Arc::clone(&header.name),
                schema,
                value: cell,
            })
        };
        encoded.map(one).collect()
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

async fn learn(decoder: &mut Box<dyn Decode>, bytes: Option<&[u8]>) -> Result<()> {
    match bytes {
        Some(asked) if !decoder.knows(bytes) => decoder.learn(asked).await,
        _ => Ok(()),
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
