//! Topics and what belongs to them.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::subject::{PATIENCE, SILENCE, Subject, at, texts};
use crate::{At, TopicSpec, UNKNOWN_TOPIC};

/// A topic is created once, shown, altered, and deleted as often as one likes.
pub async fn a_topic_has_a_life(s: &Subject) {
    let name = s.name("topic");
    assert_eq!(s.log.topic(&name).await.unwrap(), None);
    let spec = TopicSpec::new(name.as_str(), 3).compacted();
    s.log.create_topics(&[spec]).await.unwrap();
    let again = TopicSpec::new(name.as_str(), 5);
    s.log.create_topics(&[again]).await.unwrap();
    let info = s.log.topic(&name).await.unwrap().unwrap();
    assert_eq!((&*info.name, info.partitions), (name.as_str(), 3));
    assert_eq!(info.settings["cleanup.policy"], "compact");
    assert!(info.settings.contains_key("max.message.bytes"));
    let change = BTreeMap::from([("max.message.bytes".to_owned(), "5000".to_owned())]);
    s.log.alter_topic(&name, &change).await.unwrap();
    until(async || {
        let info = s.log.topic(&name).await.unwrap().unwrap();
        let altered = info.settings["max.message.bytes"] == "5000";
        altered && info.settings["cleanup.policy"] == "compact"
    })
    .await;
    let topics = s.log.topics().await.unwrap();
    assert!(topics.contains(&name) && topics.is_sorted());
    s.log.delete_topic(&name).await.unwrap();
    until(async || s.log.topic(&name).await.unwrap().is_none()).await;
    s.log.delete_topic(&name).await.unwrap();
    assert!(!s.log.topics().await.unwrap().contains(&name));
    let missing = s.log.alter_topic(&name, &change).await.unwrap_err();
    assert_eq!(missing.code(), &UNKNOWN_TOPIC, "{missing:?}");
    let id = s.log.cluster_id().await.unwrap();
    assert!(!id.is_empty());
    assert_eq!(s.log.cluster_id().await.unwrap(), id);
}

/// A topic of the same name has nothing of the deleted one, no committed offsets either.
pub async fn a_deleted_topic_comes_back_empty(s: &Subject) {
    let topic = s.topic(1).await;
    let group = s.name("group");
    s.put(&topic, &["old", "older"]).await;
    let offsets = BTreeMap::from([(at(&topic, 0), Some(2))]);
    s.log.alter_group_offsets(&group, &offsets).await.unwrap();
    s.log.delete_topic(&topic).await.unwrap();
    until(async || s.log.topic(&topic).await.unwrap().is_none()).await;
    let spec = TopicSpec::new(Arc::clone(&topic), 1);
    until(async || {
        // A broker may still be deleting it.
        let _ = s.log.create_topics(std::slice::from_ref(&spec)).await;
        s.log.topic(&topic).await.unwrap().is_some()
    })
    .await;
    until(async || s.log.group_offsets(&group).await.unwrap().is_empty()).await;
    s.put(&topic, &["new"]).await;
    assert_eq!(texts(&s.all(&topic, 1, 1).await), ["new"]);
}

/// Deleted records are gone at once; offsets go on.
pub async fn deleted_records_are_gone(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["0", "1", "2", "3"]).await;
    let of = at(&topic, 0);
    s.log.delete_records(&of, 2).await.unwrap();
    assert_eq!(s.log.offset_at(&of, At::Earliest).await.unwrap(), 2);
    assert_eq!(texts(&s.all(&topic, 1, 2).await), ["2", "3"]);
    let end = s.log.offset_at(&of, At::Latest).await.unwrap();
    s.log.delete_records(&of, end).await.unwrap();
    assert_eq!(s.log.offset_at(&of, At::Earliest).await.unwrap(), end);
    if let Some(upkeep) = &s.upkeep {
        upkeep().await.unwrap();
    }
    s.put(&topic, &["4"]).await;
    let got = s.all(&topic, 1, 1).await;
    assert_eq!((got[0].offset, got[0].text()), (end, "4".to_owned()));
}

/// Names and settings that cannot be are refused, and nothing is made.
pub async fn nonsense_is_refused(s: &Subject) {
    let long = "x".repeat(250);
    for name in ["", ".", "..", "a b", "a/b", "ü", &long] {
        let spec = TopicSpec::new(name, 1);
        assert!(s.log.create_topics(&[spec]).await.is_err(), "{name:?}");
    }
    let name = s.name("topic");
    for (setting, value) in [("retention.ms", "soon"), ("cleanup.policy", "shred")] {
        let spec = TopicSpec::new(name.as_str(), 1).setting(setting, value);
        assert!(s.log.create_topics(&[spec]).await.is_err(), "{setting}");
    }
    let none = TopicSpec::new(name.as_str(), 0);
    assert!(s.log.create_topics(&[none]).await.is_err());
    assert_eq!(s.log.topic(&name).await.unwrap(), None);
}

async fn until(holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it does not become true");
        tokio::time::sleep(SILENCE / 10).await;
    }
}
