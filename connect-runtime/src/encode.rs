//! From a batch to serialized records. Everything is compiled once per route; the loop over rows allocates nothing.

use std::{ops::Range, sync::Arc};

use connect_core::{
    Batch, Datum, Encoded, Error, Result, Route,
    batch::Row,
    codec::Encode,
    encoded::{EncodedHeader, EncodedRecord},
    error::INTERNAL,
    route::RouteId,
};
use rustc_hash::FxHashMap;

use crate::{converters::Converters, tolerance::Stage};

/// More plans than this are forgotten and compiled again: schemas that change without end must not grow without end.
const MAX_PLANS: usize = 10_000;

/// No record has this route.
const UNUSED: usize = usize::MAX;
/// A record has this route, and its plan is not yet looked up.
const USED: usize = usize::MAX - 1;

/// The compiled encoders of one task.
pub(crate) struct Encoder {
    converters: Converters,
    by_route: FxHashMap<RouteId, usize>,
    plans: Vec<Plan>,
    /// The plan of each route of the batch at hand.
    of_batch: Vec<usize>,
    /// The headers that were encoded last, by topic where their bytes differ by it.
    shared: Vec<Shared>,
}

/// A row that cannot be encoded: its index in the batch, where it got stuck, and why.
pub(crate) type Unencoded = (usize, Stage, Error);

/// Headers of the batch at hand that many records share.
#[derive(Default, Clone)]
struct Shared {
    /// Where they are in the batch: first and number.
    of: (u32, u32),
    /// Where their bytes are in [`Encoded::headers`].
    encoded: Range<usize>,
}

struct Plan {
    /// Kept, so that the id stays in use.
    route: Arc<Route>,
    key: Box<dyn Encode>,
    value: Box<dyn Encode>,
}

impl Encoder {
    /// No plans yet.
    pub(crate) fn new(converters: Converters) -> Self {
        Self {
            converters,
            by_route: FxHashMap::default(),
            plans: Vec::new(),
            of_batch: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// Finds or compiles the plan of every route that a record of the batch has, and gives back those that were not known.
    ///
    /// Transforms leave routes behind that no record has any more: for these nothing may be compiled or created.
    pub(crate) async fn prepare(&mut self, batch: &Batch) -> Result<Vec<Arc<Route>>> {
        let mut fresh = Vec::new();
        if self.plans.len() > MAX_PLANS {
            self.by_route.clear();
            self.plans.clear();
        }
        self.of_batch.clear();
        self.of_batch.resize(batch.routes().len(), UNUSED);
        for record in batch.records() {
            if let Some(plan @ &mut UNUSED) = self.of_batch.get_mut(record.route as usize) {
                *plan = USED;
            }
        }
        for (at, route) in batch.routes().iter().enumerate() {
            if self.of_batch[at] == UNUSED {
                continue;
            }
            self.of_batch[at] = match self.by_route.get(&route.id()) {
                Some(plan) => *plan,
                None => {
                    fresh.push(Arc::clone(route));
                    self.compile(route).await?
                }
            };
        }
        Ok(fresh)
    }

    /// The topics of the prepared batch.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Arc<str>> {
        let plans = self.of_batch.iter().filter_map(|at| self.plans.get(*at));
        plans.map(|plan| plan.route.topic())
    }

    async fn compile(&mut self, route: &Arc<Route>) -> Result<usize> {
        let plan = Plan {
            route: Arc::clone(route),
            key: self
                .converters
                .key
                .encoder(route.topic(), route.key())
                .await?,
            value: self
                .converters
                .value
                .encoder(route.topic(), route.value())
                .await?,
        };
        self.plans.push(plan);
        let at = self.plans.len() - 1;
        self.by_route.insert(route.id(), at);
        Ok(at)
    }

    /// Appends every record of a prepared batch to `out`, and gives back those that cannot be encoded.
    pub(crate) async fn encode(
        &mut self,
        batch: &Batch,
        out: &mut Encoded,
    ) -> Result<Vec<Unencoded>> {
        let mut refused = Vec::new();
        self.shared.clear();
        self.shared.resize(batch.routes().len(), Shared::default());
        for (index, row) in batch.rows().enumerate() {
            let before = (out.bytes.len(), out.headers.len(), out.records.len());
            let mut encoded = self.encode_row(row, out);
            while encoded.is_err() && self.waited(row).await? {
                out.bytes.truncate(before.0);
                encoded = self.encode_row(row, out);
            }
            if row.record().headers_len > 0 && encoded.is_ok() && !self.share_headers(row, out) {
                encoded = self
                    .encode_headers(row, out)
                    .await
                    .map_err(|e| (Stage::HeaderConverter, e));
            }
            if let Err((stage, error)) = encoded {
                out.bytes.truncate(before.0);
                out.headers.truncate(before.1);
                out.records.truncate(before.2);
                refused.push((index, stage, error));
            }
        }
        Ok(refused)
    }

    /// Whether an encoder that refused a row had to wait for something, and has it now.
    async fn waited(&mut self, row: Row<'_>) -> Result<bool> {
        let at = self.of_batch.get(row.record().route as usize);
        let Some(plan) = at.and_then(|at| self.plans.get_mut(*at)) else {
            return Ok(false);
        };
        // Only one that has a value to write may ask for it.
        let parts = [(&mut plan.key, row.key()), (&mut plan.value, row.value())];
        for (encoder, datum) in parts {
            if datum.is_null() || datum.is_absent() {
                continue;
            }
            if let Some(pending) = encoder.pending() {
                pending.await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn encode_row(&mut self, row: Row<'_>, out: &mut Encoded) -> Result<(), (Stage, Error)> {
        let record = row.record();
        let plan = self
            .of_batch
            .get(record.route as usize)
            .and_then(|at| self.plans.get_mut(*at));
        let Some(plan) = plan else {
            let what = "a record names a route that its batch does not have";
            return Err((Stage::ValueConverter, Error::new(&INTERNAL, what)));
        };
        let key = encode_part(&mut *plan.key, row.key(), &mut out.bytes);
        let key = key.map_err(|error| (Stage::KeyConverter, error))?;
        let value = encode_part(&mut *plan.value, row.value(), &mut out.bytes);
        let value = value.map_err(|error| (Stage::ValueConverter, error))?;
        let headers = out.headers.len();
        out.records.push(EncodedRecord {
            topic: Arc::clone(plan.route.topic()),
            // Only a transform gives one to a source's record.
            partition: (record.partition >= 0).then_some(record.partition),
            offset: -1,
            timestamp_ms: record.timestamp_ms,
            key,
            value,
            headers: headers..headers,
        });
        Ok(())
    }

    /// Gives a record the headers that one before it had too, if they are the same.
    fn share_headers(&self, row: Row<'_>, out: &mut Encoded) -> bool {
        let record = row.record();
        let of = (record.headers_at, record.headers_len);
        let shared = self.shared.get(self.slot(row));
        let Some(shared) = shared.filter(|shared| shared.of == of) else {
            return false;
        };
        if let Some(last) = out.records.last_mut() {
            last.headers = shared.encoded.clone();
        }
        true
    }

    fn slot(&self, row: Row<'_>) -> usize {
        match self.converters.header.is_by_topic() {
            true => row.record().route as usize,
            false => 0,
        }
    }

    /// Headers of one record only are rare: they may allocate.
    async fn encode_headers(&mut self, row: Row<'_>, out: &mut Encoded) -> Result<()> {
        let first = out.headers.len();
        for (name, value) in row.headers() {
            let (topic, schema) = (row.topic(), value.schema());
            let mut encoder = self.converters.header.encoder(topic, schema).await?;
            let at = out.bytes.len();
            let present = encoder.encode(value, &mut out.bytes)?;
            out.headers.push(EncodedHeader {
                name: Arc::clone(name),
                value: present.then_some(at..out.bytes.len()),
            });
        }
        let headers = first..out.headers.len();
        let (slot, record) = (self.slot(row), row.record());
        if let Some(shared) = self.shared.get_mut(slot) {
            *shared = Shared {
                of: (record.headers_at, record.headers_len),
                encoded: headers.clone(),
            };
        }
        if let Some(record) = out.records.last_mut() {
            record.headers = headers;
        }
        Ok(())
    }
}

fn encode_part(
    encoder: &mut dyn Encode,
    datum: Datum<'_>,
    bytes: &mut Vec<u8>,
) -> Result<Option<Range<usize>>> {
    let at = bytes.len();
    let present = encoder.encode(datum, bytes)?;
    Ok(present.then_some(at..bytes.len()))
}
