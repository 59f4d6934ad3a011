//! The connectors of the demo: configurations as their users have them today.

use serde_json::{Value, json};
use stack::{DATABASE, PASSWORD, USER};

use super::{inventory::TABLES, servers::Servers};

/// Topics are called `inventory.SCHEMA.TABLE`; so are the indices, and so begin the keys in Redis.
pub(super) const PREFIX: &str = "inventory.public.";
/// The replication slot and the publication.
pub(super) const SLOT: &str = "demo";

/// Name and configuration of the source and both sinks, in the order in which they are created.
pub(super) fn all(servers: &Servers) -> [(&'static str, Value); 3] {
    [
        ("inventory-source", source(servers)),
        ("inventory-redis", redis(servers)),
        ("inventory-search", search(servers)),
    ]
}

fn source(servers: &Servers) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": servers.postgres.host(),
        "database.port": servers.postgres.port().to_string(),
        "database.user": USER,
        "database.password": PASSWORD,
        "database.dbname": DATABASE,
        "topic.prefix": "inventory",
        "table.include.list": TABLES.map(|table| format!("public.{table}")).join(","),
        "plugin.name": "pgoutput",
        "slot.name": SLOT,
        "publication.name": SLOT,
        "publication.autocreate.mode": "filtered",
        "snapshot.mode": "initial"
    })
}

fn redis(servers: &Servers) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.redis.RedisSinkConnector",
        "tasks.max": "1",
        "topics": topics(),
        "redis.uri": servers.redis.url(),
        "redis.type": "hash"
    })
}

fn search(servers: &Servers) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.elasticsearch.ElasticsearchSinkConnector",
        "tasks.max": "1",
        "topics": topics(),
        "connection.url": servers.search.url()
    })
}

fn topics() -> String {
    TABLES.map(|table| format!("{PREFIX}{table}")).join(",")
}
