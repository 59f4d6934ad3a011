//! Connector configurations as users write them.

use serde_json::{Value, json};
use stack::{DATABASE, PASSWORD, Postgres, Redis, Search, USER};

/// Debezium's PostgreSQL connector, unchanged, for tables of schema `public`.
pub fn postgres_source(postgres: &Postgres, prefix: &str, tables: &str) -> Value {
    postgres_source_at(postgres.port(), prefix, tables)
}

/// The same, for a server behind a port of 127.0.0.1.
pub fn postgres_source_at(port: u16, prefix: &str, tables: &str) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "plugin.name": "pgoutput",
        "database.hostname": "127.0.0.1",
        "database.port": port.to_string(),
        "database.user": USER,
        "database.password": PASSWORD,
        "database.dbname": DATABASE,
        "topic.prefix": prefix,
        "slot.name": format!("{prefix}_slot"),
        "publication.name": format!("{prefix}_publication"),
        "publication.autocreate.mode": "filtered",
        "table.include.list": tables,
    })
}

/// The Redis sink, one hash per row.
pub fn redis_sink(redis: &Redis, topics: &str) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.redis.RedisSinkConnector",
        "tasks.max": "1",
        "topics.regex": topics,
        "redis.uri": redis.url(),
        "redis.type": "HASH",
    })
}

/// The search sink, one index per topic.
pub fn search_sink(search: &Search, topics: &str) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.elasticsearch.ElasticsearchSinkConnector",
        "tasks.max": "1",
        "topics.regex": topics,
        "connection.url": search.url(),
    })
}
