//! Notifications: what a connector tells of its snapshots, in Debezium's words.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use connect_core::{Batch, Field, Record, Route, Schema, Type, Value, config::List};

use crate::java::uuid_text;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The id of the signal that began it, or a random one.
    pub id: String,
    /// `Initial Snapshot` or `Incremental Snapshot`.
    pub aggregate: &'static str,
    /// `STARTED`, `COMPLETED` and so on.
    pub kind: &'static str,
    /// More about it.
    pub data: Vec<(&'static str, String)>,
}

/// Of the snapshot at the start, and of blocking ones.
pub const INITIAL: &str = "Initial Snapshot";
/// Of snapshots while streaming.
pub const INCREMENTAL: &str = "Incremental Snapshot";
/// Of signals that cannot be obeyed. Debezium only logs those.
pub const SIGNAL: &str = "Signal";

/// Where notifications go.
#[derive(Debug, Clone)]
pub struct Notifier {
    route: Option<Arc<Route>>,
    logs: bool,
    connector: String,
}

impl Notifier {
    /// Into a topic, if one is given; into the log, if wanted. `connector` is the topic prefix.
    pub fn new(topic: Option<&str>, logs: bool, connector: &str) -> Self {
        Self {
            route: topic.map(route),
            logs,
            connector: connector.to_owned(),
        }
    }

    /// As Debezium's properties say: `notification.enabled.channels` and `notification.sink.topic.name`.
    pub fn of(channels: &List, topic: Option<&str>, connector: &str) -> Self {
        let has = |name: &str| channels.0.iter().any(|one| one == name);
        Self::new(topic.filter(|_| has("sink")), has("log"), connector)
    }

    /// Whether nobody wants to know.
    pub fn is_silent(&self) -> bool {
        self.route.is_none() && !self.logs
    }

    /// Tells it: a record of `out`, a line of the log, or both.
    pub fn tell(&self, mut notification: Notification, out: &mut Batch, now_ms: i64) {
        if self.is_silent() {
            return;
        }
        let connector = ("connector_name", self.connector.clone());
        notification.data.push(connector);
        if self.logs {
            let Notification {
                id,
                aggregate,
                kind,
                data,
            } = &notification;
            tracing::info!(id, aggregate_type = aggregate, r#type = kind, additional_data = ?data, "notification");
        }
        if let Some(route) = &self.route {
            push(route, notification, out, now_ms);
        }
    }
}

/// A random UUID, for what nobody has named.
pub fn random_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let bits = u128::from(random()) << 64 | u128::from(random());
    // Version 4, variant 1.
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    uuid_text(bits)
}

fn route(topic: &str) -> Arc<Route> {
    let text = || Schema::of(Type::String);
    let key = Schema::structure([Field::new("id", text())])
        .named("io.debezium.connector.common.NotificationKey", 1);
    let map = Schema::of(Type::Map(Arc::new(text()), Arc::new(text()))).optional();
    let value = Schema::structure([
        Field::new("id", text()),
        Field::new("type", text()),
        Field::new("aggregate_type", text()),
        Field::new("additional_data", map),
        Field::new("timestamp", Schema::of(Type::Int64)),
    ])
    .named("io.debezium.connector.common.Notification", 1);
    Route::new(topic, Some(Arc::new(key)), Some(Arc::new(value)))
}

fn push(route: &Arc<Route>, notification: Notification, out: &mut Batch, now_ms: i64) {
    let Notification {
        id,
        aggregate,
        kind,
        data,
    } = notification;
    let data = data.into_iter();
    let data = data.map(|(name, text)| (name.to_owned(), Value::Str(text)));
    let key = Value::Map(vec![("id".to_owned(), Value::Str(id.clone()))]);
    let value = Value::Map(vec![
        ("id".to_owned(), Value::Str(id)),
        ("type".to_owned(), kind.into()),
        ("aggregate_type".to_owned(), aggregate.into()),
        ("additional_data".to_owned(), Value::Map(data.collect())),
        ("timestamp".to_owned(), Value::Int(now_ms)),
    ]);
    let key = out.push_value(&key, route.key().map(|schema| &**schema));
    let value = out.push_value(&value, route.value().map(|schema| &**schema));
    let route = out.route_index(route);
    out.push(Record::new(route, key, value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_uuids_of_version_4() {
        let id = random_id();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!((&id[14..15], id.len()), ("4", 36));
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
        assert_ne!(id, random_id());
    }

    #[test]
    fn a_notification_is_a_record_with_the_signals_id_as_key() {
        let notifier = Notifier::new(Some("told"), true, "shop");
        let mut out = Batch::default();
        let notification = Notification {
            id: "7".into(),
            aggregate: INCREMENTAL,
            kind: "STARTED",
            data: vec![("data_collections", "public.a".into())],
        };
        notifier.tell(notification.clone(), &mut out, 42);
        let row = out.row(0).unwrap();
        assert_eq!(&**row.topic(), "told");
        assert_eq!(row.key().get("id").unwrap().text().unwrap(), "7");
        let value = row.value().to_value();
        let data = value.get("additional_data").unwrap();
        assert_eq!(data.get("connector_name").unwrap().as_str(), Some("shop"));
        assert_eq!(
            data.get("data_collections").unwrap().as_str(),
            Some("public.a")
        );
        assert_eq!(value.get("timestamp"), Some(&Value::Int(42)));
        let mut out = Batch::default();
        Notifier::new(None, false, "shop").tell(notification, &mut out, 42);
        assert!(out.is_empty());
    }
}
