//! A Redis for tests, and sinks that write to it.

use std::collections::BTreeMap;

use connect_core::{
    Config, Properties, SinkConnector,
    testing::{changes::State, sink_suite::Target},
};
use redis::Connection;
use redis_sink::{RedisConfig, RedisSink, RedisTask};
use stack::{Redis, RedisOptions, Stack};

/// A server of its own, and the properties of a sink.
pub(crate) struct Server {
    /// The server; it ends with this.
    pub(crate) redis: Redis,
    _stack: Stack,
}

impl Server {
    /// Starts one.
    pub(crate) fn start() -> Self {
        Self::with(RedisOptions::default().set("save", "\"\""))
    }

    /// Starts one with options.
    pub(crate) fn with(options: RedisOptions) -> Self {
        let stack = Stack::new().unwrap();
        let redis = stack.redis_with(options).unwrap();
        Self {
            redis,
            _stack: stack,
        }
    }

    /// A configuration for this server with more properties.
    pub(crate) fn config(&self, more: &[(&str, &str)]) -> RedisConfig {
        RedisConfig::parse(&self.properties(more)).unwrap()
    }

    /// The properties of such a configuration.
    pub(crate) fn properties(&self, more: &[(&str, &str)]) -> Properties {
        let mut given = Properties::from([("redis.uri".into(), self.redis.url())]);
        given.extend(more.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        given
    }

    /// A task for this server.
    pub(crate) fn task(&self, more: &[(&str, &str)]) -> RedisTask {
        RedisSink::task(self.config(more), Properties::new()).unwrap()
    }

    /// Another client's connection.
    pub(crate) fn client(&self) -> Connection {
        redis::Client::open(self.redis.url())
            .unwrap()
            .get_connection()
            .unwrap()
    }
}

/// One kind of value in a server.
pub(crate) struct Kind<'a> {
    /// The server.
    pub(crate) server: &'a Server,
    /// The properties that make it.
    pub(crate) properties: &'a [(&'a str, &'a str)],
}

impl Target for Kind<'_> {
    type Task = RedisTask;

    fn task(&self, _: &str) -> RedisTask {
        self.server.task(self.properties)
    }

    async fn read(&self, topic: &str) -> State {
        let mut client = self.server.client();
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("{topic}:*"))
            .query(&mut client)
            .unwrap();
        let id = |key: &str| key[topic.len() + 1..].to_owned();
        keys.iter()
            .map(|key| (id(key), fields(&mut client, key)))
            .collect()
    }
}

fn fields(client: &mut Connection, key: &str) -> BTreeMap<String, String> {
    let kind: String = redis::cmd("TYPE").arg(key).query(client).unwrap();
    if kind == "hash" {
        return redis::cmd("HGETALL").arg(key).query(client).unwrap();
    }
    let get = if kind == "string" { "GET" } else { "JSON.GET" };
    let text: String = redis::cmd(get).arg(key).query(client).unwrap();
    let doc: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).unwrap_or_else(|err| panic!("{err} in {text}"));
    doc.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}
