//! The worker's properties, by Kafka Connect's names. An empty file works.

use std::collections::BTreeMap;

use connect_core::{
    Properties,
    config::{Config as _, List, Millis, Rules, invalid},
};

connect_core::choice! {
    /// Whether source connectors write exactly once (KIP-618).
    pub enum ExactlyOnce {
        /// Records and offsets are written one after the other: at least once.
        Disabled = "disabled",
        /// As `disabled`, for the first of two rolling upgrades.
        Preparing = "preparing",
        /// Records and offsets are written in one transaction.
        Enabled = "enabled",
    }
}

connect_core::choice! {
    /// Which client settings a connector may override (KIP-458).
    pub enum OverridePolicy {
        /// Any.
        All = "all",
        /// None.
        None = "none",
        /// Those that tell who it is.
        Principal = "principal",
        /// Those in `connector.client.config.override.allowlist`.
        Allowlist = "allowlist",
    }
}

connect_core::config! {
    /// The worker's properties. Those that are not declared, such as `producer.linger.ms`, are kept in `rest`.
    pub struct WorkerConfig;
    group "Worker" {
        /// Name of the group of workers; part of transactional ids.
        group_id: String = "connect-cluster", "group.id", High;
        /// Brokers of the Kafka cluster; none for the embedded log.
        bootstrap_servers: Option<String> = none, "bootstrap.servers", High;
        /// Name for logs and the broker.
        client_id: Option<String> = none, "client.id", Low;
        /// Addresses on which the REST API listens.
        listeners: List = "http://:8083", "listeners", Low;
        /// Host name under which other workers and clients reach this one.
        advertised_host: Option<String> = none, "rest.advertised.host.name", Low;
        /// Port under which other workers and clients reach this one.
        advertised_port: Option<u16> = none, "rest.advertised.port", Low;
        /// A worker that was not heard of for so long is out of the group, and its tasks run elsewhere.
        session_timeout: Millis = "6000", "session.timeout.ms", High;
        /// How often the group hears of a worker.
        heartbeat_interval: Millis = "500", "heartbeat.interval.ms", High;
        /// A worker that is heard of but takes no part when the group is formed anew is out after so long.
        rebalance_timeout: Millis = "60000", "rebalance.timeout.ms", High;
        /// How long tasks get to finish when they are stopped, all together.
        shutdown_timeout: Millis = "5000", "task.shutdown.graceful.timeout.ms", Low;
        /// How long a worker that starts waits for brokers that are away, before it gives up and ends.
        startup_timeout: Millis = "300000", "worker.startup.timeout.ms", Low;
    }
    group "Internal topics" {
        /// Topic of connector configurations; one partition, compacted.
        config_topic: String = "connect-configs", "config.storage.topic", High;
        /// Replicas of the topic of configurations; -1 for the broker's default.
        config_replication: i16 = "-1", "config.storage.replication.factor", Low;
        /// Topic of source offsets; compacted.
        offset_topic: String = "connect-offsets", "offset.storage.topic", High;
        /// Partitions of the topic of source offsets.
        offset_partitions: i32 = "25", "offset.storage.partitions", Low;
        /// Replicas of the topic of source offsets; -1 for the broker's default.
        offset_replication: i16 = "-1", "offset.storage.replication.factor", Low;
        /// Topic of statuses; compacted.
        status_topic: String = "connect-status", "status.storage.topic", High;
        /// Partitions of the topic of statuses.
        status_partitions: i32 = "5", "status.storage.partitions", Low;
        /// Replicas of the topic of statuses; -1 for the broker's default.
        status_replication: i16 = "-1", "status.storage.replication.factor", Low;
    }
    group "Converters" {
        /// Converter of keys where the connector names none.
        key_converter: String = "org.apache.kafka.connect.json.JsonConverter", "key.converter", High;
        /// Converter of values where the connector names none.
        value_converter: String = "org.apache.kafka.connect.json.JsonConverter", "value.converter", High;
        /// Converter of header values where the connector names none.
        header_converter: String = "org.apache.kafka.connect.storage.SimpleHeaderConverter", "header.converter", Low;
    }
    group "Offsets" {
        /// How often sink tasks flush and commit their offsets, and the longest time between two commits of source offsets.
        offset_flush_interval: Millis = "60000", "offset.flush.interval.ms", Low;
        /// How long a commit of offsets may take.
        offset_flush_timeout: Millis = "5000", "offset.flush.timeout.ms", Low;
        /// How often the position of a source is stored at most, once its records are durable, so that its server can forget what
        /// it kept for us. Shorter than `offset.flush.interval.ms`, since a server's log grows while it waits.
        offset_advance_interval: Millis = "500", "offset.advance.interval.ms", Low;
        /// Whether source connectors write exactly once.
        exactly_once: ExactlyOnce = "disabled", "exactly.once.source.support", High;
        /// The longest time that a transaction stays open before it is committed at the next end of a poll.
        transaction_linger: Millis = "150", "transaction.linger.ms", Low;
        /// Bytes after which a transaction is committed at the next end of a poll.
        transaction_bytes: u32 = "16777216", "transaction.max.bytes", Low;
    }
    group "Connectors" {
        /// Providers of `${provider:path:key}` placeholders. `file`, `dir` and `env` are there without being named.
        config_providers: List = "", "config.providers", Low;
        /// Which settings of clients a connector may override.
        override_policy: OverridePolicy = "all", "connector.client.config.override.policy", Medium;
        /// Settings that the policy `Allowlist` allows.
        override_allowlist: List = "", "connector.client.config.override.allowlist", Medium;
        /// Whether topics of source connectors are created.
        topic_creation: bool = "true", "topic.creation.enable", Low;
        /// Whether the topics that a connector uses are recorded.
        topic_tracking: bool = "true", "topic.tracking.enable", Low;
        /// Whether the record of a connector's topics can be reset.
        topic_tracking_reset: bool = "true", "topic.tracking.allow.reset", Low;
    }
}

impl Rules for WorkerConfig {}

impl WorkerConfig {
    /// Reads the properties of a worker's file. The error names everything that does not hold.
    pub fn read(given: &Properties) -> connect_core::Result<Self> {
        Self::parse(given).map_err(|findings| invalid(&findings))
    }

    /// The properties that begin with a prefix, without it: `producer.`, `consumer.`, `admin.`, `config.storage.`, …
    pub fn under(&self, prefix: &str) -> BTreeMap<String, String> {
        under(&self.rest, prefix)
    }

    /// `host:port` under which statuses name this worker. Without an address the machine's name, so that two machines differ.
    pub fn worker_id(&self) -> String {
        let (listen_host, listen_port) = self.first_listener();
        let host = self.advertised_host.clone().or(listen_host);
        let port = self.advertised_port.unwrap_or(listen_port);
        let host = host.unwrap_or_else(machine_name);
        format!("{host}:{port}")
    }

    /// Whether source tasks write in transactions.
    pub fn is_exactly_once(&self) -> bool {
        self.exactly_once == ExactlyOnce::Enabled
    }

    fn first_listener(&self) -> (Option<String>, u16) {
        let first = self.listeners.0.first().map_or("", String::as_str);
        let address = first.rsplit_once("://").map_or(first, |(_, rest)| rest);
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let host = Some(host.to_owned()).filter(|h| !h.is_empty() && h != "0.0.0.0" && h != "[::]");
        (host, port.trim_end_matches('/').parse().unwrap_or(8083))
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self::read(&Properties::new()).expect("every property has a default")
    }
}

fn machine_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy().into_owned();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

/// The properties that begin with a prefix, without it.
pub(crate) fn under(all: &Properties, prefix: &str) -> BTreeMap<String, String> {
    all.range(prefix.to_owned()..)
        .take_while(|(name, _)| name.starts_with(prefix))
        .map(|(name, value)| (name[prefix.len()..].to_owned(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_works_and_has_kafka_connects_defaults() {
        let config = WorkerConfig::default();
        assert_eq!(config.config_topic, "connect-configs");
        assert_eq!(config.offset_partitions, 25);
        assert!(config.worker_id().ends_with(":8083"));
        assert!(!config.worker_id().starts_with(':'));
        assert!(!config.is_exactly_once());
    }

    #[test]
    fn prefixed_properties_reach_their_client() {
        let given = Properties::from([
            ("producer.linger.ms".into(), "7".into()),
            ("producers".into(), "x".into()),
            ("listeners".into(), "http://10.0.0.1:38083".into()),
        ]);
        let config = WorkerConfig::read(&given).unwrap();
        assert_eq!(
            config.under("producer."),
            BTreeMap::from([("linger.ms".into(), "7".into())])
        );
        assert_eq!(config.worker_id(), "10.0.0.1:38083");
    }

    #[test]
    fn a_wrong_value_is_named() {
        let given = Properties::from([("exactly.once.source.support".into(), "maybe".into())]);
        let error = WorkerConfig::read(&given).unwrap_err();
        assert!(error.to_string().contains(
            "Invalid value maybe for configuration exactly.once.source.support: String must be one of: disabled, preparing, enabled"
        ), "{error}");
    }
}
