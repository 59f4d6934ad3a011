//! Connector configurations as users write them.

use serde_json::{Value, json};
use stack::{DATABASE, Mysql, PASSWORD, Postgres, Redis, Search, USER};

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

/// Debezium's connector for MySQL or MariaDB, unchanged, for tables of any database. The history of the tables is in the
/// topic `history-PREFIX`.
pub fn mysql_source(mysql: &Mysql, prefix: &str, tables: &str, bootstrap: &str) -> Value {
    let class = match mysql.version().is_mariadb() {
        true => "io.debezium.connector.mariadb.MariaDbConnector",
        false => "io.debezium.connector.mysql.MySqlConnector",
    };
    json!({
        "connector.class": class,
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": mysql.port().to_string(),
        "database.user": USER,
        "database.password": PASSWORD,
        "database.server.id": "6400",
        "topic.prefix": prefix,
        "table.include.list": tables,
        "schema.history.internal.kafka.bootstrap.servers": bootstrap,
        "schema.history.internal.kafka.topic": format!("history-{prefix}"),
        "schema.history.internal.store.only.captured.tables.ddl": "true",
    })
}

/// Kafka's connector for lines of a file.
pub fn file_source(file: &str, topic: &str) -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1",
        "file": file,
        "topic": topic,
    })
}

/// A configuration with these properties more.
pub fn with(mut config: Value, more: &[(&str, &str)]) -> Value {
    for (name, value) in more {
        config[*name] = (*value).into();
    }
    config
}

/// Errors that pass are waited for a second at most, for tests that wait for the next try.
pub const IMPATIENT: &[(&str, &str)] = &[
    ("task.restart.delay.ms", "200"),
    ("task.restart.delay.max.ms", "1000"),
];

/// The Redis sink, one hash per row.
pub fn redis_sink(redis: &Redis, topics: &str) -> Value {
    redis_sink_at(&redis.url(), topics)
}

/// The same, for a server at a URL.
pub fn redis_sink_at(url: &str, topics: &str) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.redis.RedisSinkConnector",
        "tasks.max": "1",
        "topics.regex": topics,
        "redis.uri": url,
        "redis.type": "HASH",
    })
}

/// The search sink, one index per topic.
pub fn search_sink(search: &Search, topics: &str) -> Value {
    search_sink_at(&search.url(), topics)
}

/// The same, for a server at a URL.
pub fn search_sink_at(url: &str, topics: &str) -> Value {
    json!({
        "connector.class": "io.tidewater.connector.elasticsearch.ElasticsearchSinkConnector",
        "tasks.max": "1",
        "topics.regex": topics,
        "connection.url": url,
    })
}
