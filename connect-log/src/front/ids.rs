//! Ids of topics: the same as long as the topic exists, also over restarts.

use std::sync::Arc;

use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::local::{Catalog, Topic};

/// The id of a topic. The log numbers its topics; its own id and the name are in it too, so that a number that was used before
/// cannot stand for another topic.
pub(crate) fn topic_id(log: &str, topic: &Topic) -> Uuid {
    let mut id = [0; 16];
    let (head, number) = id.split_at_mut(8);
    let (of_log, of_name) = head.split_at_mut(4);
    of_log.copy_from_slice(&crc32c::crc32c(log.as_bytes()).to_be_bytes());
    of_name.copy_from_slice(&crc32c::crc32c(topic.name.as_bytes()).to_be_bytes());
    number.copy_from_slice(&topic.id.to_be_bytes());
    Uuid::from_bytes(id)
}

/// Topics by id, for one request.
pub(crate) struct ById<'a> {
    catalog: &'a Catalog,
    log: &'a str,
    known: Option<FxHashMap<Uuid, Arc<Topic>>>,
}

impl<'a> ById<'a> {
    pub(crate) fn new(catalog: &'a Catalog, log: &'a str) -> Self {
        Self {
            catalog,
            log,
            known: None,
        }
    }

    pub(crate) fn find(&mut self, id: Uuid) -> Option<Arc<Topic>> {
        let (catalog, log) = (self.catalog, self.log);
        let known = self.known.get_or_insert_with(|| {
            let topics = catalog.all().into_iter();
            topics.map(|topic| (topic_id(log, &topic), topic)).collect()
        });
        known.get(&id).cloned()
    }
}

/// A topic's name as it is sent.
pub(crate) fn name_of(topic: &Topic) -> TopicName {
    TopicName(text(&topic.name))
}

/// Text as it is sent.
pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
