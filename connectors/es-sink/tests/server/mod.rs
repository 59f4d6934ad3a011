//! A search server for tests, and sinks that write to it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;

use connect_core::{
    Config, Properties, SinkConnector,
    testing::{changes::State, sink_suite::Target},
};
use es_sink::{EsConfig, EsSink, EsTask};
use serde_json::Value;
use stack::{Search, SearchOptions, Stack};

/// A server of its own.
pub(crate) struct Server {
    /// The server; it ends with this.
    pub(crate) search: Search,
    _stack: Stack,
}

impl Server {
    /// OpenSearch, or what the environment names.
    pub(crate) fn start() -> Self {
        Self::of(Stack::opensearch)
    }

    /// OpenSearch with options.
    pub(crate) fn opensearch(options: SearchOptions) -> Self {
        Self::of(|stack| stack.opensearch_with(options))
    }

    /// Elasticsearch.
    pub(crate) fn elasticsearch() -> Self {
        Self::of(|stack| stack.elasticsearch(SearchOptions::default()))
    }

    fn of(start: impl FnOnce(&Stack) -> stack::Result<Search>) -> Self {
        let stack = Stack::new().expect("stack");
        let search = start(&stack).expect("search server");
        Self {
            search,
            _stack: stack,
        }
    }

    /// The properties of a sink for this server, with more.
    pub(crate) fn properties(&self, more: &[(&str, &str)]) -> Properties {
        // A busy machine can take a minute to create an index.
        let mut given = Properties::from([
            ("connection.url".into(), self.search.url()),
            ("read.timeout.ms".into(), "120000".into()),
        ]);
        given.extend(more.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        given
    }

    /// A configuration for this server with more properties.
    pub(crate) fn config(&self, more: &[(&str, &str)]) -> EsConfig {
        EsConfig::parse(&self.properties(more)).expect("configuration")
    }

    /// A task for this server.
    pub(crate) fn task(&self, more: &[(&str, &str)]) -> EsTask {
        EsSink::task(self.config(more), Properties::new()).expect("task")
    }

    /// One request that must succeed.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.search.request(method, path, body).expect("answer");
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        serde_json::from_str(&unchunked(&answer.body)).expect("JSON")
    }

    /// All documents of an index by id; none when there is no index.
    pub(crate) fn documents(&self, index: &str) -> BTreeMap<String, Value> {
        let refreshed = self
            .search
            .request("POST", &format!("/{index}/_refresh"), "");
        if refreshed.expect("answer").status == 404 {
            return BTreeMap::new();
        }
        let found = self.ask("GET", &format!("/{index}/_search?size=1000"), "");
        let hits = found["hits"]["hits"].as_array().expect("hits").iter();
        hits.map(|hit| {
            let id = hit["_id"].as_str().expect("id");
            (id.to_owned(), hit["_source"].clone())
        })
        .collect()
    }
}

/// Sinks with some properties, for the conformance suite.
pub(crate) struct Sinks<'a> {
    /// The server.
    pub(crate) server: &'a Server,
    /// The properties.
    pub(crate) properties: &'a [(&'a str, &'a str)],
}

impl Target for Sinks<'_> {
    type Task = EsTask;

    fn task(&self, _: &str) -> EsTask {
        self.server.task(self.properties)
    }

    async fn read(&self, topic: &str) -> State {
        let documents = self.server.documents(topic).into_iter();
        documents.map(|(id, source)| (id, fields(source))).collect()
    }
}

/// Elasticsearch sends chunks even to a client that speaks HTTP/1.0.
fn unchunked(body: &str) -> String {
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("size of a chunk");
        whole += &after[..size];
        rest = after[size..].trim_start();
    }
    whole + rest
}

fn fields(source: Value) -> BTreeMap<String, String> {
    let Value::Object(source) = source else {
        panic!("no object: {source}")
    };
    source
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}
