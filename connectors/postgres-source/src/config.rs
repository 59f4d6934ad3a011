//! The properties of the connector: Debezium's names and defaults.

use cdc::{
    adjust::Adjustment,
    modes::{BinaryMode, DecimalMode, Failing, Processing, SkippedOperations, TimePrecision},
    naming::{Given, Naming, Strategy},
    options::{TableOrder, Threads, Watermarking},
    topics::is_prefix,
};
use connect_core::{
    Finding, Secret, choice,
    config::{List, Millis, Positive, Rules},
};

use crate::{
    captured::Captured,
    foreign,
    options::{self, Isolation, Locking, SnapshotMode},
};

choice! {
    /// `database.sslmode`
    pub enum SslMode {
        /// Never TLS.
        Disable = "disable",
        /// TLS only when the server asks for it.
        Allow = "allow",
        /// TLS when the server has it.
        Prefer = "prefer",
        /// TLS with any certificate.
        Require = "require",
        /// TLS with a certificate of a known authority.
        VerifyCa = "verify-ca",
        /// The same, made out to the host name.
        VerifyFull = "verify-full",
    }
}

choice! {
    /// `publication.autocreate.mode`
    pub enum Autocreate {
        /// `FOR ALL TABLES`
        AllTables = "all_tables",
        /// `FOR TABLE` those that the filters pass, brought up to date at every start.
        Filtered = "filtered",
        /// Without tables; somebody adds them later.
        NoTables = "no_tables",
        /// It must exist.
        Disabled = "disabled",
    }
}

choice! {
    /// `offset.mismatch.strategy`: what to do when the slot has moved past the stored position.
    pub enum OffsetMismatch {
        /// Fail: changes are missing.
        NoValidation = "no_validation",
        /// Fail: changes are missing.
        TrustOffset = "trust_offset",
        /// Go on from the slot.
        TrustSlot = "trust_slot",
        /// Go on from whichever is later.
        TrustGreaterLsn = "trust_greater_lsn",
    }
}

choice! {
    /// `slot.max.retained.wal.action`: what to do when the slot keeps more of the server's log than it may.
    pub enum RetainedWal {
        /// Say so in the log, the status and the metrics.
        Warn = "warn",
        /// While the connector is paused, stopped or failed, keep the slot's changes in the log instead (in the topic
        /// `GROUP-CONNECTOR-kept`), from where they are read when it runs again; while it runs, as `warn`.
        Spill = "spill",
        /// Drop the slot, so that the server's disk does not fill.
        Drop = "drop",
    }
}

choice! {
    /// `hstore.handling.mode`
    pub enum HstoreMode {
        /// JSON text.
        Json = "json",
        /// A map.
        Map = "map",
    }
}

choice! {
    /// `interval.handling.mode`
    pub enum IntervalMode {
        /// Microseconds, a month being 365.25 / 12 days.
        Numeric = "numeric",
        /// `P1Y2M3DT4H5M6.78S`
        String = "string",
    }
}

choice! {
    /// `unavailable.value.handling.mode`
    pub enum Unavailable {
        /// `unavailable.value.placeholder` stands for a value that was not sent.
        Placeholder = "placeholder",
        /// It is left out.
        Omit = "omit",
    }
}

choice! {
    /// `plugin.name`; both are answered with pgoutput, which every server has.
    pub enum Plugin {
        /// The default of older configurations.
        Decoderbufs = "decoderbufs",
        /// The server's own.
        Pgoutput = "pgoutput",
    }
}

connect_core::config! {
    /// Streams every committed change of a PostgreSQL database, after a consistent snapshot.
    pub struct PostgresConfig;
    group "Connection" {
        /// Prefix of every topic, and the name of this source in its records. Letters, digits, `-`, `.` and `_`.
        topic_prefix: String = required, "topic.prefix", High;
        /// Host name or address of the server.
        host: String = required, "database.hostname", High;
        /// Port of the server.
        port: u16 = "5432", "database.port", High;
        /// The user; it needs the REPLICATION right and SELECT on the captured tables.
        user: String = required, "database.user", High;
        /// Password of the user; none for trust and certificates.
        password: Option<Secret> = none, "database.password", High;
        /// The database to capture.
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
        /// How long connecting may take.
        connect_timeout: Millis = "30000", "connection.validation.timeout.ms", Low;
        /// How long a query may take; 0 for ever.
        query_timeout: Millis = "600000", "database.query.timeout.ms", Low;
        /// Statements, separated by `;` (`;;` for a semicolon itself), run on each connection that queries.
        initial_statements: Option<String> = none, "database.initial.statements", Low;
    }
    group "Replication" {
        /// Decoding plugin. Both names are answered with pgoutput.
        plugin: Plugin = "decoderbufs", "plugin.name", Medium;
        /// Name of the replication slot, made when it is missing and no position is stored.
        slot: String = "debezium", "slot.name", Medium;
        /// Whether the slot is dropped when the task stops. Changes made while it is stopped are lost then.
        slot_drop_on_stop: bool = "false", "slot.drop.on.stop", Medium;
        /// Whether the slot is made to follow to standbys (PostgreSQL 17 and newer).
        slot_failover: bool = "false", "slot.failover", Low;
        /// More options for START_REPLICATION: `name=value;name=value`.
        slot_stream_params: Option<String> = none, "slot.stream.params", Low;
        /// Whether the server (PostgreSQL 14 and newer) sends large transactions while they run, so that they are here when they are
        /// committed and the server's disk holds none. Their records are the same, and come after the commit.
        stream_in_progress: bool = "false", "stream.in.progress.transactions", Low;
        /// How many bytes of transactions that run may lie in temporary files; 0 for any number.
        stream_in_progress_limit: i64 = "10737418240", "stream.in.progress.max.bytes", Low;
        /// How many bytes of the server's log the slot may keep, whether the connector runs, is paused or has failed; 0 for any number.
        retained_wal_limit: i64 = "0", "slot.max.retained.wal.bytes", Medium;
        /// What happens when it keeps more.
        retained_wal_action: RetainedWal = "warn", "slot.max.retained.wal.action", Medium;
        /// What to do when the slot has moved past the stored position.
        offset_mismatch: OffsetMismatch = "no_validation", "offset.mismatch.strategy", Low;
        /// Name of the publication.
        publication: String = "dbz_publication", "publication.name", Medium;
        /// Whether and how the publication is created when it is missing.
        autocreate: Autocreate = "all_tables", "publication.autocreate.mode", Medium;
        /// Whether changes of partitions are published as those of their root table.
        via_partition_root: bool = "false", "publish.via.partition.root", Low;
        /// Replica identities that captured tables are given at the start: `schema.table:FULL,schema.other:INDEX name`, the table a
        /// regular expression; DEFAULT, NOTHING, FULL or INDEX.
        replica_identities: Option<String> = none, "replica.identity.autoset.values", Low;
        /// How often the server is told how far we are.
        status_interval: Millis = "10000", "status.update.interval.ms", Low;
    }
    group "Tables" {
        /// Schemas to capture: regular expressions, anchored.
        schema_include: List = "", "schema.include.list", Medium;
        /// Schemas not to capture.
        schema_exclude: List = "", "schema.exclude.list", Medium;
        /// Tables to capture, as `schema.table`.
        table_include: List = "", "table.include.list", High;
        /// Tables not to capture.
        table_exclude: List = "", "table.exclude.list", Medium;
        /// Columns to capture, as `schema.table.column`. Key columns always stay in the key.
        column_include: List = "", "column.include.list", Medium;
        /// Columns not to capture.
        column_exclude: List = "", "column.exclude.list", Medium;
        /// Whether the schemas of the server itself are left out.
        ignore_builtin: bool = "true", "table.ignore.builtin", Low;
        /// Columns whose schemas tell the type in the database (`__debezium.source.column.type`, `.length`, `.scale`, `.name`).
        propagate_columns: List = "", "column.propagate.source.type", Low;
        /// Types, as `schema.table.type`, whose columns do the same.
        propagate_types: List = "", "datatype.propagate.source.type", Low;
        /// Keys to use instead of primary keys: `schema.table:column,column;…`, the table a regular expression.
        message_key_columns: Option<String> = none, "message.key.columns", Medium;
    }
    group "Snapshot" {
        /// When the tables are read before streaming.
        snapshot_mode: SnapshotMode = "initial", "snapshot.mode", Medium;
        /// Tables to snapshot, of those captured; all when not given.
        snapshot_include: List = "", "snapshot.include.collection.list", Low;
        /// Tables that are read by statements of their own, which stand in `snapshot.select.statement.overrides.<schema>.<table>`.
        selects: List = "", "snapshot.select.statement.overrides", Medium;
        /// With `configuration_based`: whether the tables are read.
        based_data: bool = "false", "snapshot.mode.configuration.based.snapshot.data", Low;
        /// With `configuration_based`: whether the structure of the tables is read. It always is.
        based_schema: bool = "false", "snapshot.mode.configuration.based.snapshot.schema", Low;
        /// With `configuration_based`: whether changes are streamed.
        based_stream: bool = "false", "snapshot.mode.configuration.based.start.stream", Low;
        /// With `configuration_based`: whether the structure is read again when it is lost. It never is, as it is not stored.
        based_on_schema_error: bool = "false", "snapshot.mode.configuration.based.snapshot.on.schema.error", Low;
        /// With `configuration_based`: whether the tables are read when the stored position cannot be continued.
        based_on_data_error: bool = "false", "snapshot.mode.configuration.based.snapshot.on.data.error", Low;
        /// What the tables are read as of. Behind a slot that was just made it is always the slot's first moment.
        snapshot_isolation: Isolation = "serializable", "snapshot.isolation.mode", Low;
        /// Whether tables are kept from being altered during a snapshot.
        snapshot_locking: Locking = "none", "snapshot.locking.mode", Low;
        /// How long to wait for locks of tables.
        snapshot_lock_timeout: Millis = "10000", "snapshot.lock.timeout.ms", Low;
        /// Which tables are read first, by the server's estimates of their sizes.
        snapshot_order: TableOrder = "disabled", "snapshot.tables.order.by.row.count", Medium;
        /// How many connections read tables at the same time, all as of the same moment. One more holds that moment.
        snapshot_threads: Threads = "1", "snapshot.max.threads", Medium;
        /// Into how many parts for each connection a table is cut; `snapshot.max.threads.multiplier.<schema>.<table>` says so for one.
        /// Small tables are not cut.
        snapshot_parts: Positive = "1", "snapshot.max.threads.multiplier", Medium;
        /// Whether each table is read by one connection, whatever its size.
        legacy_threads: bool = "false", "legacy.snapshot.max.threads", Low;
        /// How long to wait between a snapshot and the stream.
        streaming_delay: Millis = "0", "streaming.delay.ms", Low;
        /// How long to wait before a snapshot.
        snapshot_delay: Millis = "0", "snapshot.delay.ms", Low;
        /// Largest number of rows that the server hands over at once. Rows are streamed, so it has no effect here.
        snapshot_fetch_size: Positive = "10240", "snapshot.fetch.size", Low;
    }
    group "Signals" {
        /// The table whose new rows are signals, as `schema.table`, with the columns id, type and data. It is captured too.
        signal_table: Option<String> = none, "signal.data.collection", Medium;
        /// Where signals come from: `source` (the table), `kafka` (a topic of the log), `file`. Those of the REST API always come.
        signal_channels: List = "source", "signal.enabled.channels", Medium;
        /// How often the topic and the file are looked at.
        signal_interval: Millis = "5000", "signal.poll.interval.ms", Low;
        /// The topic with signals; `<topic.prefix>-signal` when not given. Its records have the topic prefix as key.
        signal_topic: Option<String> = none, "signal.kafka.topic", Low;
        /// The consumer group that keeps the place in the topic.
        signal_group: String = "kafka-signal", "signal.kafka.groupId", Low;
        /// Servers of the topic. It is always read from the worker's own log, so it has no effect here.
        signal_servers: Option<String> = none, "signal.kafka.bootstrap.servers", Low;
        /// How long to wait for records of the topic.
        signal_patience: Millis = "0", "signal.kafka.poll.timeout.ms", Low;
        /// The file with signals, one JSON object a line; it is emptied when it has been read.
        signal_file: String = "file-signals.txt", "signal.file", Low;
        /// How many rows of a table an incremental snapshot reads at once.
        chunk_size: Positive = "1024", "incremental.snapshot.chunk.size", Medium;
        /// Whether a table may be altered while it is read. It always may.
        chunk_schema_changes: bool = "false", "incremental.snapshot.allow.schema.changes", Low;
        /// How the stream is told where a chunk was read.
        watermarking: Watermarking = "insert_insert", "incremental.snapshot.watermarking.strategy", Low;
        /// Whether nothing is written to the database: then the server's own transaction ids and LSNs tell where a chunk was read.
        read_only: bool = "false", "read.only", Low;
        /// Where notifications go: `sink` (a topic), `log`.
        notification_channels: List = "", "notification.enabled.channels", Low;
        /// The topic of notifications.
        notification_topic: Option<String> = none, "notification.sink.topic.name", Low;
    }
    group "Values" {
        /// How exact numbers are shown.
        decimal_mode: DecimalMode = "precise", "decimal.handling.mode", Medium;
        /// How dates and times are shown.
        time_precision: TimePrecision = "adaptive", "time.precision.mode", Medium;
        /// How bytes are shown.
        binary_mode: BinaryMode = "bytes", "binary.handling.mode", Medium;
        /// How `hstore` is shown.
        hstore_mode: HstoreMode = "json", "hstore.handling.mode", Low;
        /// How intervals are shown.
        interval_mode: IntervalMode = "numeric", "interval.handling.mode", Low;
        /// Digits behind the point of `money`.
        money_digits: u16 = "2", "money.fraction.digits", Low;
        /// Whether columns of unknown types are shown as bytes; they are left out otherwise.
        include_unknown: bool = "false", "include.unknown.datatypes", Low;
        /// What stands for a large value that the server did not send since it has not changed; `hex:` gives bytes.
        placeholder: String = "__debezium_unavailable_value", "unavailable.value.placeholder", Low;
        /// Whether that stands there, or the column is left out: null in formats with schemas, absent in JSON without. Columns that may not be
        /// null keep the placeholder.
        unavailable: Unavailable = "placeholder", "unavailable.value.handling.mode", Low;
        /// The name of a post processor. `<name>.type` must be `io.debezium.processors.reselect.ReselectColumnsPostProcessor`, which reads large
        /// values that were not sent (`<name>.reselect.unavailable.values`, true) and nulls (`<name>.reselect.null.values`, true) from the table
        /// again: all rows of a batch with one query. `<name>.reselect.columns.include.list` or `<name>.reselect.columns.exclude.list` say which
        /// columns, as `schema.table:column`. Rows are found by the primary key, or by the event's (`<name>.reselect.use.event.key`, false). What
        /// cannot be read is left as it came, or is a failure (`<name>.reselect.error.handling.mode`, `warn` or `fail`).
        post_processors: List = "", "post.processors", Low;
    }
    group "Records" {
        /// Whether a delete is followed by a tombstone.
        tombstones: bool = "true", "tombstones.on.delete", Medium;
        /// Operations to leave out: `none`, or letters of c, u, d, t.
        skipped: SkippedOperations = "t", "skipped.operations", Low;
        /// Whether updates that change nothing that is captured are left out. Only with REPLICA IDENTITY FULL this can be told.
        skip_unchanged: bool = "false", "skip.messages.without.change", Low;
        /// What to do with a value that has not the form of its type: a null in its place with a warning or without, or failure. A key is never
        /// without its value: then the task fails.
        converting_failures: Failing = "warn", "event.converting.failure.handling.mode", Low;
        /// What to do with an event that has a value which cannot be decoded, where that is a failure: the event is left out, or the task fails.
        processing_failures: Processing = "fail", "event.processing.failure.handling.mode", Low;
        /// How the names of schemas are made fit for Avro.
        schema_names: Adjustment = "none", "schema.name.adjustment.mode", Medium;
        /// How the names of fields are made fit for Avro.
        field_names: Adjustment = "none", "field.name.adjustment.mode", Medium;
        /// Logical messages to capture, by prefix: regular expressions, anchored.
        message_include: List = "", "message.prefix.include.list", Medium;
        /// Logical messages not to capture, by prefix.
        message_exclude: List = "", "message.prefix.exclude.list", Medium;
        /// Whether begins and ends of transactions are told in a topic of their own, and each record tells its place in its transaction.
        transaction_metadata: bool = "false", "provide.transaction.metadata", Low;
        /// Name of the topic of transactions, behind topic.prefix.
        transaction_topic: String = "transaction", "topic.transaction", Low;
        /// How transactions are told. There is one way.
        transaction_factory: String = "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory", "transaction.metadata.factory", Low;
        /// How many records a batch of the stream may have; it has 512 at most in any case. Records of one place in the server's log stay together.
        batch_size: Positive = "2048", "max.batch.size", Medium;
        /// How often a heartbeat is sent; 0 for never.
        heartbeat_interval: Millis = "0", "heartbeat.interval.ms", Medium;
        /// A statement to run with each heartbeat.
        heartbeat_query: Option<String> = none, "heartbeat.action.query", Low;
        /// Prefix of the heartbeat topic.
        heartbeat_prefix: String = "__debezium-heartbeat", "topic.heartbeat.prefix", Low;
        /// The heartbeat topic itself, instead of prefix and topic.prefix.
        heartbeat_topic: Option<String> = none, "topic.heartbeat.name", Low;
        /// Whether records have headers that say which connector they come from (`__debezium.context.*`).
        extended_headers: bool = "true", "extended.headers.enabled", Low;
        /// What stands between the parts of a topic name.
        topic_delimiter: String = ".", "topic.delimiter", Low;
        /// How tables make the names of topics.
        topic_naming: Strategy = "io.debezium.schema.SchemaTopicNamingStrategy", "topic.naming.strategy", Low;
        /// With a regex strategy: what topics have to match, as a whole, to get another name.
        topic_regex: Option<String> = none, "topic.regex", Low;
        /// With a regex strategy: their other name, in which `$1` stands for a group.
        topic_replacement: Option<String> = none, "topic.replacement", Low;
        /// With a regex strategy: whether keys have one field more, which tells tables apart that share a topic.
        topic_unique_keys: bool = "true", "topic.key.enforce.uniqueness", Low;
        /// With a regex strategy: the name of that field.
        topic_key_field: String = "__dbz__physicalTableIdentifier", "topic.key.field.name", Low;
        /// With a regex strategy: what the name of a table's topic has to match, as a whole, for that field to have another value than it.
        topic_key_regex: Option<String> = none, "topic.key.field.regex", Low;
        /// With a regex strategy: that value, in which `$1` stands for a group.
        topic_key_replacement: Option<String> = none, "topic.key.field.replacement", Low;
    }
}

/// The one value of `transaction.metadata.factory`.
const TRANSACTION_FACTORY: &str =
    "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory";

impl Rules for PostgresConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !is_prefix(&self.topic_prefix) {
            let why = "Only letters, digits, dots, underscores and hyphens are allowed";
            findings.push(Finding::invalid("topic.prefix", &self.topic_prefix, why));
        }
        if !is_slot_name(&self.slot) {
            let why = "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63";
            findings.push(Finding::invalid("slot.name", &self.slot, why));
        }
        if self.ssl_cert.is_some() != self.ssl_key.is_some() {
            let (given, missing) = match self.ssl_cert {
                Some(_) => ("database.sslcert", "database.sslkey"),
                None => ("database.sslkey", "database.sslcert"),
            };
            findings.push(Finding::error(
                missing,
                format!("\"{given}\" needs \"{missing}\""),
            ));
        }
        if self.transaction_factory != TRANSACTION_FACTORY {
            let why = format!("Only {TRANSACTION_FACTORY} is known");
            let key = "transaction.metadata.factory";
            findings.push(Finding::invalid(key, &self.transaction_factory, &why));
        }
        Captured::new(self, &mut findings);
        options::rules(self, &mut findings);
        findings.extend(foreign::errors(&self.rest));
        findings
    }
}

impl PostgresConfig {
    /// How topics are named; `None` with findings when it cannot be done so.
    pub(crate) fn naming(&self, findings: &mut Vec<Finding>) -> Option<Naming> {
        let given = Given {
            strategy: self.topic_naming,
            prefix: &self.topic_prefix,
            delimiter: &self.topic_delimiter,
            regex: self.topic_regex.as_deref(),
            replacement: self.topic_replacement.as_deref(),
            unique_keys: self.topic_unique_keys,
            key_field: &self.topic_key_field,
            key_regex: self.topic_key_regex.as_deref(),
            key_replacement: self.topic_key_replacement.as_deref(),
        };
        Naming::new(given, findings)
    }
}

fn is_slot_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use connect_core::{Config, Properties};

    pub(crate) fn given(more: &[(&str, &str)]) -> Properties {
        let base = [
            ("topic.prefix", "shop"),
            ("database.hostname", "localhost"),
            ("database.user", "cdc"),
            ("database.dbname", "inventory"),
        ];
        let all = base.iter().chain(more);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_defaults_are_those_that_users_know() {
        let config = PostgresConfig::parse(&given(&[])).unwrap();
        assert_eq!((config.port, config.slot.as_str()), (5432, "debezium"));
        assert_eq!(config.publication, "dbz_publication");
        assert!(config.skipped.truncate && config.tombstones);
        assert_eq!(config.ssl_mode, SslMode::Prefer);
    }

    #[test]
    fn every_mistake_is_found() {
        let bad = given(&[
            ("slot.name", "Bad-Name"),
            ("topic.prefix", "a b"),
            ("table.include.list", "("),
            ("message.key.columns", "nonsense"),
            ("database.sslcert", "/some/file"),
            ("slot.stream.params", "origin=none; Streaming = on"),
        ]);
        let findings = PostgresConfig::parse(&bad).unwrap_err();
        let keys: Vec<&str> = findings.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "topic.prefix",
                "slot.name",
                "database.sslkey",
                "table.include.list",
                "message.key.columns",
                "slot.stream.params"
            ]
        );
    }
}
