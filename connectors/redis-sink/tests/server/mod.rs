//! A Redis for tests, and sinks that write to it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;

use connect_core::{
    Config, Properties, SinkConnector,
    testing::{changes::State, sink_suite::Target},
};
use redis::Connection;
use redis_sink::{RedisConfig, RedisSink, RedisTask};
use stack::{Redis, RedisOptions, Stack};

/// A server, and the properties of a sink.
pub(crate) struct Server {
    url: String,
    ours: Option<(Redis, Stack)>,
}

impl Server {
    /// Starts one; it ends with this.
    pub(crate) fn start() -> Self {
        Self::with(RedisOptions::default().set("save", "\"\""))
    }

    /// Starts one with options.
    pub(crate) fn with(options: RedisOptions) -> Self {
        let stack = Stack::new().expect("stack");
        let redis = stack.redis_with(options).expect("redis");
        Self {
            url: redis.url(),
            ours: Some((redis, stack)),
        }
    }

    /// One that runs already.
    pub(crate) fn at(url: String) -> Self {
        Self { url, ours: None }
    }

    /// The server that was started.
    pub(crate) fn redis(&self) -> &Redis {
        &self.ours.as_ref().expect("a server of ours").0
    }

    /// A configuration for this server with more properties.
    pub(crate) fn config(&self, more: &[(&str, &str)]) -> RedisConfig {
        RedisConfig::parse(&self.properties(more)).expect("redis")
    }

    /// The properties of such a configuration.
    pub(crate) fn properties(&self, more: &[(&str, &str)]) -> Properties {
        let mut given = Properties::from([("redis.uri".into(), self.url.clone())]);
        given.extend(more.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        given
    }

    /// A task for this server.
    pub(crate) fn task(&self, more: &[(&str, &str)]) -> RedisTask {
        RedisSink::task(self.config(more), Properties::new()).expect("redis")
    }

    /// Another client's connection.
    pub(crate) fn client(&self) -> Connection {
        redis::Client::open(self.url.as_str())
            .expect("redis")
            .get_connection()
            .expect("redis")
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
            .expect("redis");
        let id = |key: &str| key[topic.len() + 1..].to_owned();
        keys.iter()
            .map(|key| (id(key), fields(&mut client, key)))
            .collect()
    }
}

fn fields(client: &mut Connection, key: &str) -> BTreeMap<String, String> {
    let kind: String = redis::cmd("TYPE").arg(key).query(client).expect("redis");
    if kind == "hash" {
        return redis::cmd("HGETALL").arg(key).query(client).expect("redis");
    }
    let get = if kind == "string" { "GET" } else { "JSON.GET" };
    let text: String = redis::cmd(get).arg(key).query(client).expect("redis");
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
