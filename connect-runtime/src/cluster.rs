//! What workers tell each other, in a compacted topic of its own beside that of the configurations (`<config.storage.topic>-cluster`).
//!
//! | key | value | written by |
//! |---|---|---|
//! | `assignment/<connector>` | [`Assignment`] | the leader |
//! | `worker/<member>` | [`Report`] | the member |
//! | `request/<member>/<n>` | [`Request`] | the member that asks |
//! | `reply/<member>/<n>` | [`Reply`] | who was asked |
//!
//! Everything goes through the log, so that workers that cannot reach each other still are one cluster, and there is nothing to configure,
//! sign or open in a firewall. A request is answered in the transaction that does what it asks for: it is done once, also when its leader
//! dies.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use connect_core::Result;
use connect_log::{Log, TopicSpec};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    change::{Changes, Scope},
    configs::topic_settings,
    herder::command::{Answered, Order},
    internal_topic::{Entry, InternalTopic, Own, Seen},
    place::Place,
    seats::{Assignment, Report},
    worker_config::WorkerConfig,
};

/// Who a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Whom {
    /// Whoever leads.
    Leader,
    /// This member.
    Member(String),
}

/// A request of a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) whom: Whom,
    pub(crate) order: Order,
}

/// Its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) answered: Answered,
}

/// A member and a number that it has given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestId {
    pub(crate) member: String,
    pub(crate) number: u64,
}

impl RequestId {
    fn parse(text: &str) -> Option<Self> {
        let (member, number) = text.rsplit_once('/')?;
        Some(Self {
            member: member.to_owned(),
            number: number.parse().ok()?,
        })
    }

    fn key(&self, kind: &str) -> Vec<u8> {
        format!("{kind}/{}/{}", self.member, self.number).into_bytes()
    }
}

/// What is known of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) assignments: BTreeMap<String, Assignment>,
    pub(crate) reports: BTreeMap<String, Report>,
    /// Those without an answer.
    pub(crate) requests: BTreeMap<RequestId, Request>,
    /// Answers that their askers have not removed yet.
    pub(crate) replies: BTreeMap<RequestId, Reply>,
    /// The newest assignment.
    pub(crate) version: u64,
}

/// The topic, and what is known from it.
pub(crate) struct Cluster {
    topic: InternalTopic,
    place: Place,
    own: Mutex<Own>,
    known: RwLock<Known>,
    /// Questions that somebody here waits with, until the answer is there.
    asked: Mutex<BTreeMap<RequestId, Option<oneshot::Sender<Reply>>>>,
    next_request: AtomicU64,
    changes: Changes,
}

impl Cluster {
    /// Reads the topic. `by` is this process.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
        by: &Arc<str>,
        place: &Place,
        changes: &Changes,
    ) -> Result<Self> {
        let spec = TopicSpec {
            name: format!("{}-cluster", config.config_topic).into(),
            partitions: Some(1),
            replication: Some(config.config_replication).filter(|r| *r > 0),
            settings: topic_settings(config, "config.storage."),
        };
        let client_id = format!("{}-cluster", config.group_id);
        let (topic, entries) = InternalTopic::open(log, spec, &client_id).await?;
        let mut known = Known::default();
        for (key, value) in &entries {
            known.apply(key, Some(value), &mut Scope::default());
        }
        Ok(Self {
            topic,
            place: place.clone(),
            own: Mutex::new(Own::new(by)),
            known: RwLock::new(known),
            asked: Mutex::default(),
            next_request: AtomicU64::new(0),
            changes: changes.clone(),
        })
    }

    /// Its topic's name.
    pub(crate) fn topic(&self) -> &Arc<str> {
        self.topic.name()
    }

    /// What is known now.
    pub(crate) fn known(&self) -> parking_lot::RwLockReadGuard<'_, Known> {
        self.known.read()
    }

    /// Takes in what others write. Never ends.
    pub(crate) async fn follow(&self) {
        self.topic.follow(|seen| self.see(seen)).await;
    }

    /// Takes in everything that was written until now.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        self.topic.read_on(|seen| self.see(seen)).await
    }

    fn see(&self, seen: &Seen<'_>) {
        let mut own = self.own.lock();
        if own.is_new(seen.written) {
            let mut about = Scope::default();
            self.known.write().apply(seen.key, seen.value, &mut about);
            drop(own);
            self.told(&about);
        }
    }

    /// Entries of the leader are durable, the first under this number.
    pub(crate) fn wrote(&self, entries: &[Entry], first: u64) {
        let mut own = self.own.lock();
        let mut about = Scope::default();
        for ((key, value), number) in entries.iter().zip(first..) {
            if own.count(number) {
                let mut known = self.known.write();
                known.apply(key, value.as_deref(), &mut about);
            }
        }
        drop(own);
        self.told(&about);
    }

    /// Gives the answers to who waits for them, and tells whom the others are about.
    fn told(&self, about: &Scope) {
        let mut asked = self.asked.lock();
        if !asked.is_empty() {
            let known = self.known.read();
            for (id, reply) in &known.replies {
                if let Some(waits) = asked.get_mut(id).and_then(Option::take) {
                    // Who asked may have gone.
                    let _ = waits.send(reply.clone());
                }
            }
        }
        drop(asked);
        self.changes.tell(about);
    }

    /// Questions of this member, and answers to it, with which nobody waits any more.
    pub(crate) fn given_up(&self, me: &str) -> BTreeSet<RequestId> {
        let (asked, known) = (self.asked.lock(), self.known.read());
        let all = known.requests.keys().chain(known.replies.keys());
        all.filter(|id| id.member == me && !asked.contains_key(id))
            .cloned()
            .collect()
    }

    /// Takes a question back, or its answer.
    pub(crate) async fn take_back(&self, id: &RequestId) -> Result<()> {
        self.write(&reply_entries(id, None)).await
    }

    /// Writes as a member.
    pub(crate) async fn write(&self, entries: &[Entry]) -> Result<()> {
        self.topic.write(entries, self.place.lease()).await
    }

    /// Asks, and waits for the answer. When this is dropped, the question is [one of those](Self::given_up) to be taken back, which may
    /// have been answered all the same.
    pub(crate) async fn ask(&self, me: &str, request: &Request) -> Result<Answered> {
        let id = RequestId {
            member: me.to_owned(),
            number: self.next_request.fetch_add(1, Ordering::Relaxed),
        };
        let (tell, answer) = oneshot::channel();
        self.asked.lock().insert(id.clone(), Some(tell));
        let _given_up = GiveUp(self, id.clone());
        self.write(&[entry(id.key("request"), request)]).await?;
        let reply = answer.await.map_err(|_| gone())?;
        self.write(&[(id.key("reply"), None)]).await?;
        Ok(reply.answered)
    }
}

/// Ends the waiting.
struct GiveUp<'a>(&'a Cluster, RequestId);

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        self.0.asked.lock().remove(&self.1);
    }
}

pub(crate) fn gone() -> connect_core::Error {
    connect_core::Error::new(&crate::error::STOPPING, "The worker is being stopped")
}

/// The record of an assignment; none removes it.
pub(crate) fn assignment_entry(connector: &str, assignment: Option<&Assignment>) -> Entry {
    let key = format!("assignment/{connector}").into_bytes();
    match assignment {
        Some(assignment) => entry(key, assignment),
        None => (key, None),
    }
}

/// The record of a member's report; none removes it.
pub(crate) fn report_entry(member: &str, report: Option<&Report>) -> Entry {
    let key = format!("worker/{member}").into_bytes();
    match report {
        Some(report) => entry(key, report),
        None => (key, None),
    }
}

/// The records that answer a request; without an answer those that forget it.
pub(crate) fn reply_entries(id: &RequestId, answered: Option<Answered>) -> [Entry; 2] {
    let key = id.key("reply");
    let reply = match answered {
        Some(answered) => entry(key, &Reply { answered }),
        None => (key, None),
    };
    [(id.key("request"), None), reply]
}

/// Maps with text as keys always become JSON.
fn entry(key: Vec<u8>, value: &impl Serialize) -> Entry {
    (key, Some(serde_json::to_vec(value).unwrap_or_default()))
}

impl Known {
    /// Takes a record in, and adds the connectors that it is about; one that makes no sense is as if it were not there.
    fn apply(&mut self, key: &[u8], value: Option<&[u8]>, about: &mut Scope) {
        let Some((kind, name)) = std::str::from_utf8(key)
            .ok()
            .and_then(|k| k.split_once('/'))
        else {
            return;
        };
        match kind {
            "assignment" => {
                put(&mut self.assignments, Some(name.to_owned()), value);
                let version = self.assignments.get(name).map_or(0, |a| a.version);
                self.version = self.version.max(version);
                about.add(name);
            }
            "worker" => {
                put(&mut self.reports, Some(name.to_owned()), value);
                *about = Scope::All;
            }
            "request" => put(&mut self.requests, RequestId::parse(name), value),
            "reply" => put(&mut self.replies, RequestId::parse(name), value),
            _ => {}
        }
    }
}

fn put<K: Ord, V: serde::de::DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: Option<K>,
    value: Option<&[u8]>,
) {
    let Some(key) = key else { return };
    match value.and_then(|bytes| serde_json::from_slice(bytes).ok()) {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

#[cfg(test)]
mod tests;
