//! The properties of the transform: Debezium's names and defaults.

use std::time::Duration;

use connect_core::{
    Finding, Properties, Secret,
    config::{Config, Key, List, Millis, Rules, Width},
};

use crate::{config::SslMode, wire::Target};

connect_core::config! {
    /// Sends changes of TimescaleDB's chunks to the topics of their hypertables and continuous aggregates.
    pub(super) struct TimescaleDbConfig;
    group "TimescaleDB" {
        /// Comma-separated list schema names that contain TimescaleDB data tables, defaults to: '_timescaledb_internal'
        schemas: List = "_timescaledb_internal", "schema.list", High;
        /// The namespace (prefix) of topics where TimescaleDB events will be routed, defaults to: 'timescaledb'
        prefix: String = "timescaledb", "target.topic.prefix", Medium;
    }
    group "Connection" {
        /// Host name or address of the server.
        host: String = required, "database.hostname", High;
        /// Port of the server.
        port: u16 = "5432", "database.port", High;
        /// The user; every user may read TimescaleDB's catalog.
        user: String = required, "database.user", High;
        /// Password of the user; none for trust and certificates.
        password: Option<Secret> = none, "database.password", High;
        /// The database with the hypertables.
        database: String = required, "database.dbname", High;
        /// Whether and how to use TLS.
        ssl_mode: SslMode = "prefer", "database.sslmode", Medium;
        /// PEM file with the authorities that the server's certificate may come from; those of the system when not given.
        ssl_root_cert: Option<String> = none, "database.sslrootcert", Medium;
        /// PEM file with the client's certificate chain.
        ssl_cert: Option<String> = none, "database.sslcert", Medium;
        /// PEM file (or PKCS#8 in DER) with the client's key, unencrypted.
        ssl_key: Option<String> = none, "database.sslkey", Medium;
        /// Whether the TCP connection is probed while idle.
        tcp_keep_alive: bool = "true", "database.tcpKeepAlive", Low;
        /// How long a query may take; 0 for ever.
        query_timeout: Millis = "600000", "database.query.timeout.ms", Low;
        /// Statements, separated by `;` (`;;` for a semicolon itself), run on each connection.
        initial_statements: Option<String> = none, "database.initial.statements", Low;
    }
}

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
const DEFAULT_SCHEMA: &str = "_timescaledb_internal";

/// Its properties as Debezium shows them: without groups, and all in the first place.
pub(super) fn keys() -> Vec<Key> {
    let shown = |key: Key| Key {
        group: None,
        order: 1,
        width: Width::Medium,
        display: match key.name {
            "schema.list" => "The list of TimescaleDB data schemas",
            "target.topic.prefix" => "The prefix of TimescaleDB topic names",
            name => name,
        },
        ..key
    };
    TimescaleDbConfig::keys().into_iter().map(shown).collect()
}

impl Rules for TimescaleDbConfig {}

impl TimescaleDbConfig {
    /// From properties without prefix.
    pub(super) fn new(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut config = Self::parse(given)?;
        if config.schemas.0.is_empty() {
            config.schemas.0.push(DEFAULT_SCHEMA.to_owned());
        }
        Ok(config)
    }

    /// How to reach the server.
    pub(super) fn target(&self) -> Target {
        Target {
            host: self.host.clone(),
            port: self.port,
            user: self.user.clone(),
            password: self.password.clone(),
            database: self.database.clone(),
            ssl_mode: self.ssl_mode,
            ssl_root_cert: self.ssl_root_cert.clone(),
            ssl_cert: self.ssl_cert.clone(),
            ssl_key: self.ssl_key.clone(),
            keep_alive: self.tcp_keep_alive,
            connect_timeout: CONNECT_LIMIT,
            query_timeout: self.query_timeout.0,
            application: "tidewater TimescaleDB metadata".to_owned(),
        }
    }
}
