//! The connectors of the demo: configurations as their users have them today.

use serde_json::{Value, json};

use super::{inventory::TABLES, servers::Servers};

/// Name and configuration of the source and both sinks, in the order in which they are created.
pub(super) fn all(servers: &Servers) -> [(&'static str, Value); 3] {
    let bootstrap = servers.kafka.as_ref().map(|kafka| kafka.bootstrap());
    [
        ("inventory-source", servers.database.source(bootstrap)),
        ("inventory-redis", redis(servers)),
        ("inventory-search", search(servers)),
    ]
}

fn redis(servers: &Servers) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.redis.RedisSinkConnector",
        "tasks.max": "1",
        "topics": topics(servers),
        "redis.uri": servers.redis.url(),
        "redis.type": "hash"
    })
}

fn search(servers: &Servers) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.elasticsearch.ElasticsearchSinkConnector",
        "tasks.max": "1",
        "topics": topics(servers),
        "connection.url": servers.search.url()
    })
}

fn topics(servers: &Servers) -> String {
    let prefix = servers.database.prefix();
    TABLES.map(|table| format!("{prefix}{table}")).join(",")
}
