//! Bulk requests until every operation is done or refused.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use connect_core::{Error, Result, Verdict};
use reqwest::Method;

use crate::{
    bulk::{Bulk, Ops},
    client::{Body, Client},
    config::EsConfig,
    index::Indices,
    outcome::{FILTER, Outcome, read},
};

/// What came of a bulk.
#[derive(Default)]
pub(crate) struct Sent {
    /// Refused records, by index in the batch.
    pub(crate) refused: Vec<(usize, Error)>,
    /// Operations on documents that were newer already.
    pub(crate) stale: i64,
}

/// What bulks are sent with.
pub(crate) struct Sender<'a> {
    /// The configuration.
    pub(crate) config: &'a EsConfig,
    /// The client.
    pub(crate) client: &'a Client,
    /// The indices.
    pub(crate) indices: &'a Indices,
    /// The operations.
    pub(crate) ops: &'a Ops,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Sender<'_> {
    /// Sends a bulk; what the server cannot take for the moment is sent again, alone, `max.retries` times.
    pub(crate) async fn send(&self, bulk: Bulk) -> Result<Sent> {
        let mut sent = Sent::default();
        let mut waiting = vec![bulk];
        let mut tries = 0;
        while let Some(bulk) = waiting.pop() {
            let Some((again, err)) = self.try_once(bulk, &mut waiting, &mut sent).await? else {
                continue;
            };
            if tries >= self.config.retries {
                return Err(err);
            }
            tokio::time::sleep(self.pause(tries, &err)).await;
            tries += 1;
            waiting.push(again);
        }
        Ok(sent)
    }

    /// Sends a bulk once. Gives back what is to be sent again, and why; a bulk that is too large, or refused as a whole,
    /// goes to `waiting` in two parts.
    async fn try_once(
        &self,
        mut bulk: Bulk,
        waiting: &mut Vec<Bulk>,
        sent: &mut Sent,
    ) -> Result<Option<(Bulk, Error)>> {
        let source = self.config.version_source;
        let body = self.ops.body(&bulk, self.indices.json_names(), source);
        let called = self
            .client
            .call(Method::POST, &["_bulk"], FILTER, Body::Lines, body)
            .await;
        let err = match called {
            Ok(answer) => return self.read(&bulk, &answer, sent),
            Err(err) => err,
        };
        match err.verdict() {
            // The server may have done some of it: with external versions, doing it again changes nothing.
            Verdict::Retry => Ok(Some((bulk, err))),
            Verdict::Fail => Err(err),
            Verdict::Reject if bulk.len() > 1 => {
                let second = bulk.split_off(bulk.len() / 2);
                waiting.extend([second, bulk]);
                Ok(None)
            }
            Verdict::Reject => {
                sent.refused
                    .extend(bulk.iter().map(|at| (self.record(*at), err.clone())));
                Ok(None)
            }
        }
    }

    fn read(
        &self,
        bulk: &[usize],
        answer: &[u8],
        sent: &mut Sent,
    ) -> Result<Option<(Bulk, Error)>> {
        let mut again = Bulk::new();
        let mut why = None;
        for (at, outcome) in bulk.iter().zip(read(answer, bulk.len())?) {
            match outcome {
                Outcome::Done => {}
                Outcome::Stale => sent.stale += 1,
                Outcome::Refused(err) => sent.refused.push((self.record(*at), err)),
                Outcome::Fatal(err) => return Err(self.named(*at, err)),
                Outcome::Again(err) => {
                    again.push(*at);
                    why = why.or_else(|| Some(self.named(*at, err)));
                }
            }
        }
        Ok(why.map(|err| (again, err)))
    }

    fn record(&self, at: usize) -> usize {
        self.ops.list.get(at).map_or(0, |op| op.record)
    }

    fn named(&self, at: usize, err: Error) -> Error {
        match self.ops.list.get(at) {
            Some(op) => err.context("index", self.indices.name(op.index)),
            None => err,
        }
    }

    /// Doubled each time, and a random part of that, so that tasks do not come back together.
    fn pause(&self, tries: u32, err: &Error) -> Duration {
        let doubled = self.config.backoff.0.saturating_mul(1 << tries.min(16));
        let most = doubled.min(LONGEST_PAUSE);
        let random = (RandomState::new().hash_one(tries) % 1000) as u32;
        let jittered = most / 2 + most / 2 * random / 1000;
        err.delay()
            .map_or(jittered, |asked| asked.min(LONGEST_PAUSE).max(jittered))
    }
}
