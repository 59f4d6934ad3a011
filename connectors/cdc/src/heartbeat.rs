//! Heartbeat records: proof of life in a topic of their own.

use std::{sync::Arc, time::Duration};

use connect_core::{Batch, Cell, Field, Record, Route, Schema, Type};

/// When the next heartbeat is due, and what it looks like.
#[derive(Debug)]
pub struct Heartbeat {
    route: Arc<Route>,
    server_name: Arc<str>,
    interval: Duration,
}

impl Heartbeat {
    /// Heartbeats of `server_name` into `topic`; none when the interval is zero.
    pub fn new(topic: Arc<str>, server_name: &str, interval: Duration) -> Option<Self> {
        if interval.is_zero() {
            return None;
        }
        let key = Schema::structure([Field::new("serverName", Schema::of(Type::String))])
            .named("io.debezium.connector.common.ServerNameKey", 1);
        let value = Schema::structure([Field::new("ts_ms", Schema::of(Type::Int64))])
            .named("io.debezium.connector.common.Heartbeat", 1);
        Some(Self {
            route: Route::new(topic, Some(Arc::new(key)), Some(Arc::new(value))),
            server_name: server_name.into(),
            interval,
        })
    }

    /// How long from one to the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Appends one.
    pub fn push(&self, out: &mut Batch, now_ms: i64) {
        let route = out.route_index(&self.route);
        let name = out.push_bytes(self.server_name.as_bytes());
        let key = out.push_nest(&[name]);
        let value = out.push_nest(&[Cell::Int(now_ms)]);
        out.push(Record::new(route, key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_names_its_server_and_the_time() {
        let beat = Heartbeat::new("beat.shop".into(), "shop", Duration::from_secs(1)).unwrap();
        let mut batch = Batch::default();
        beat.push(&mut batch, 42);
        let row = batch.row(0).unwrap();
        assert_eq!(&**row.topic(), "beat.shop");
        assert_eq!(row.key().get("serverName").unwrap().text().unwrap(), "shop");
        assert_eq!(row.value().get("ts_ms").unwrap().int(), Some(42));
        assert!(Heartbeat::new("t".into(), "s", Duration::ZERO).is_none());
    }
}
