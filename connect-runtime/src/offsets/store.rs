//! Where a connector's positions are: in a topic of its own (`offsets.storage.topic`, KIP-618), or among those of all.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Error, Position, Properties, Result, error::INTERNAL};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Offsets, as_json, record::sorted};
use crate::{internal_topic::Entry, shared::Shared};

/// The topics that connectors have for themselves, by name.
#[derive(Default)]
pub(crate) struct OwnTopics(Mutex<BTreeMap<String, Arc<Offsets>>>);

/// The positions of one connector.
///
/// With a topic of its own, positions are read from there before they are looked for among those of all; what is stored there is
/// copied to those of all afterwards, as far as that can be done.
#[derive(Clone)]
pub(crate) struct OffsetStore {
    own: Option<Arc<Offsets>>,
    all: Arc<Offsets>,
}

impl OffsetStore {
    /// From a connector's resolved properties. Creates the topic when it is not there.
    pub(crate) async fn open(shared: &Arc<Shared>, config: &Properties) -> Result<Self> {
        let all = Arc::clone(&shared.offsets);
        let name = config.get("offsets.storage.topic").map(|name| name.trim());
        let own = match name.filter(|name| !name.is_empty() && **name != **all.topic()) {
            Some(name) => Some(shared.own_topics.open(shared, name).await?),
            None => None,
        };
        Ok(Self { own, all })
    }

    fn first(&self) -> &Arc<Offsets> {
        self.own.as_ref().unwrap_or(&self.all)
    }

    /// The topic that positions are written to.
    pub(crate) fn topic(&self) -> &Arc<str> {
        self.first().topic()
    }

    /// See [`Offsets::refresh`].
    pub(crate) async fn refresh(&self) -> Result<()> {
        if let Some(own) = &self.own {
            own.refresh().await?;
        }
        self.all.refresh().await
    }

    /// The stored positions of a connector, one per partition.
    pub(crate) fn stored(&self, connector: &str) -> Vec<Position> {
        let Some(own) = &self.own else {
            return self.all.stored(connector);
        };
        let mut stored = own.stored(connector);
        let known: Vec<String> = stored.iter().map(|p| sorted(&p.partition)).collect();
        let others = self.all.stored(connector).into_iter();
        stored.extend(others.filter(|p| !known.contains(&sorted(&p.partition))));
        stored
    }

    /// The same as JSON, in Kafka Connect's answer.
    pub(crate) fn as_json(&self, connector: &str) -> Vec<(Value, Value)> {
        as_json(&self.stored(connector))
    }

    /// See [`Offsets::entries`].
    pub(crate) fn entries(&self, connector: &str, positions: &[Position]) -> Vec<Entry> {
        self.first().entries(connector, positions)
    }

    /// Stores entries and waits until they are durable.
    pub(crate) async fn save(&self, entries: Vec<Entry>) -> Result<()> {
        self.first().save(entries.clone()).await?;
        self.copy(entries);
        Ok(())
    }

    /// Remembers entries that were made durable by somebody's transaction.
    pub(crate) fn committed(&self, entries: Vec<Entry>) {
        self.first().committed(entries.clone());
        self.copy(entries);
    }

    /// Sets offsets of a connector; `None` removes one.
    pub(crate) async fn alter(
        &self,
        connector: &str,
        change: &[(Value, Option<Value>)],
    ) -> Result<()> {
        if let Some(own) = &self.own {
            own.alter(connector, change).await?;
        }
        self.all.alter(connector, change).await
    }

    /// Removes all offsets of a connector.
    pub(crate) async fn reset(&self, connector: &str) -> Result<()> {
        if let Some(own) = &self.own {
            own.reset(connector).await?;
        }
        self.all.reset(connector).await
    }

    /// What is in a connector's own topic is copied to that of all. Nothing hangs on it but who looks there.
    fn copy(&self, entries: Vec<Entry>) {
        if self.own.is_none() {
            return;
        }
        let all = Arc::clone(&self.all);
        self.all.runtime().spawn(async move {
            if let Err(error) = all.save(entries).await {
                tracing::warn!(topic = &**all.topic(), %error, "a position was stored in the connector's own topic only");
            }
        });
    }
}

impl OwnTopics {
    /// Tasks open stores from runtimes of their own, which end with them: the topic must not.
    async fn open(&self, shared: &Arc<Shared>, name: &str) -> Result<Arc<Offsets>> {
        let mut topics = self.0.lock().await;
        if let Some(known) = topics.get(name) {
            return Ok(Arc::clone(known));
        }
        let (owner, topic) = (Arc::clone(shared), name.to_owned());
        let opening = shared.offsets.runtime().spawn(async move {
            Offsets::open_topic(&owner.log, &owner.config, &owner.place, &topic).await
        });
        let opened = opening.await.unwrap_or_else(|e| {
            Err(Error::new(&INTERNAL, "a topic of offsets was not opened").caused_by(e))
        })?;
        let opened = Arc::new(opened);
        topics.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }
}
