//! The properties of the connectors: Debezium's names and defaults.

mod connection;

pub use connection::{Compress, ServerId, SslMode};

use cdc::{
    adjust::Adjustment,
    modes::{BinaryMode, DecimalMode, Failing, Processing, SkippedOperations, TimePrecision},
    naming::{Given, Naming, Strategy},
    options::{Channels, Policy, TableOrder, Threads, Watermarking, no_custom},
    snapshot::Division,
    topics::is_prefix,
};
use connect_core::{
    Finding, Secret, choice,
    config::{List, Millis, Positive, Rules},
};

use crate::{captured, converters::Converters, foreign, task::gtid_filter, types::BigUnsigned};

choice! {
    /// `snapshot.mode`
    pub enum SnapshotMode {
        /// Snapshot once, then stream.
        Initial = "initial",
        /// Snapshot at every start, then stream.
        Always = "always",
        /// Snapshot once, then nothing.
        InitialOnly = "initial_only",
        /// Stream only.
        NoData = "no_data",
        /// Snapshot also when the stored position cannot be continued.
        WhenNeeded = "when_needed",
        /// Stream only: there is no history of schemas to recover.
        Recovery = "recovery",
        /// As `snapshot.mode.configuration.based.*` says.
        ConfigurationBased = "configuration_based",
        /// A Java class, which cannot run here.
        Custom = "custom",
    }
}

choice! {
    /// `snapshot.locking.mode`
    pub enum Locking {
        /// Nobody writes while the position is read.
        Minimal = "minimal",
        /// The same.
        MinimalAtLeastOnce = "minimal_at_least_once",
        /// The same, with a lock that Percona's server has.
        MinimalPercona = "minimal_percona",
        /// The same.
        MinimalPerconaNoTableLocks = "minimal_percona_no_table_locks",
        /// Nobody writes until the snapshot is complete.
        Extended = "extended",
        /// Nothing is locked: nobody may alter tables while the snapshot begins.
        None = "none",
        /// A Java class, which cannot run here.
        Custom = "custom",
    }
}

choice! {
    /// `inconsistent.schema.handling.mode`: what becomes of rows whose table is not what is known of it.
    pub enum Inconsistent {
        /// The task fails.
        Fail = "fail",
        /// They are left out, with a line in the log.
        Warn = "warn",
        /// They are left out.
        Skip = "skip",
    }
}

connect_core::config! {
    /// Streams every committed change of a MySQL or MariaDB server, after a consistent snapshot.
    pub struct MySqlConfig;
    group "Connection" {
        /// Prefix of every topic, and the name of this source in its records. Letters, digits, `-`, `.` and `_`.
        topic_prefix: String = required, "topic.prefix", High;
        /// Host name or address of the server.
        host: String = required, "database.hostname", High;
        /// Port of the server.
        port: u16 = "3306", "database.port", High;
        /// The user; it needs SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE and REPLICATION CLIENT.
        user: String = required, "database.user", High;
        /// Password of the user; none for accounts without one.
        password: Option<Secret> = none, "database.password", High;
        /// Our number among the server's replicas: no other replica or connector may have it.
        server_id: ServerId = required, "database.server.id", High;
        /// Whether and how to use TLS: `preferred` with MySQL and `disable` with MariaDB when not given.
        ssl_mode: Option<SslMode> = none, "database.ssl.mode", Medium;
        /// PEM file with the authorities that the server's certificate may come from; those of the system when not given.
        ssl_ca: Option<String> = none, "database.ssl.ca", Medium;
        /// PEM file with the client's certificate chain.
        ssl_cert: Option<String> = none, "database.ssl.cert", Medium;
        /// PEM file with the client's key, unencrypted.
        ssl_key: Option<String> = none, "database.ssl.key", Medium;
        /// Whether and how what goes over the network is compressed: it costs CPU on both sides. `driver.useCompression=true` means `zlib`.
        compression: Compress = "none", "database.compression", Low;
        /// Whether the TCP connection is probed while idle.
        keep_alive: bool = "true", "connect.keep.alive", Low;
        /// How long connecting may take.
        connect_timeout: Millis = "30000", "connect.timeout.ms", Medium;
        /// How long a query may take; 0 for ever.
        query_timeout: Millis = "600000", "database.query.timeout.ms", Low;
        /// Statements, separated by `;` (`;;` for a semicolon itself), run on each connection that queries.
        initial_statements: Option<String> = none, "database.initial.statements", Low;
    }
    group "Binlog" {
        /// With GTIDs: servers (MySQL) or domains (MariaDB) whose transactions count in the position: regular expressions, anchored.
        gtid_includes: List = "", "gtid.source.includes", Low;
        /// Those that do not.
        gtid_excludes: List = "", "gtid.source.excludes", Low;
        /// Whether rows of transactions that do not count are left out.
        gtid_filters_rows: bool = "true", "gtid.source.filter.dml.events", Low;
        /// Whether a restart goes by file and position although there are GTIDs.
        ignores_gtids: bool = "false", "gtid.ignore.on.recovery", Low;
        /// Whether records tell the statement that made them (`binlog_rows_query_log_events`, `binlog_annotate_row_events`).
        include_query: bool = "false", "include.query", Medium;
        /// Whether statements that change tables are told in the topic `topic.prefix`.
        include_schema_changes: bool = "true", "include.schema.changes", Medium;
        /// Whether that topic tells the comments of tables and columns.
        include_schema_comments: bool = "false", "include.schema.comments", Medium;
        /// What to do with rows whose table is not what is known of it.
        inconsistent: Inconsistent = "fail", "inconsistent.schema.handling.mode", Medium;
    }
    group "Tables" {
        /// Databases to capture: regular expressions, anchored.
        database_include: List = "", "database.include.list", High;
        /// Databases not to capture.
        database_exclude: List = "", "database.exclude.list", Medium;
        /// Tables to capture, as `database.table`.
        table_include: List = "", "table.include.list", High;
        /// Tables not to capture.
        table_exclude: List = "", "table.exclude.list", Medium;
        /// Columns to capture, as `database.table.column`. Key columns always stay in the key.
        column_include: List = "", "column.include.list", Medium;
        /// Columns not to capture.
        column_exclude: List = "", "column.exclude.list", Medium;
        /// Whether the databases of the server itself are left out.
        ignore_builtin: bool = "true", "table.ignore.builtin", Low;
        /// Columns whose schemas tell the type in the database (`__debezium.source.column.type`, `.length`, `.scale`, `.name`).
        propagate_columns: List = "", "column.propagate.source.type", Low;
        /// Types, as `database.table.type`, whose columns do the same.
        propagate_types: List = "", "datatype.propagate.source.type", Low;
        /// Keys to use instead of primary keys: `database.table:column,column;…`, the table a regular expression.
        message_key_columns: Option<String> = none, "message.key.columns", Medium;
    }
    group "Snapshot" {
        /// When the tables are read before streaming.
        snapshot_mode: SnapshotMode = "initial", "snapshot.mode", Medium;
        /// How long and how much is locked while a snapshot begins.
        snapshot_locking: Locking = "minimal", "snapshot.locking.mode", Low;
        /// Tables to snapshot, of those captured; all when not given.
        snapshot_include: List = "", "snapshot.include.collection.list", Low;
        /// Tables that are read by statements of their own, which stand in `snapshot.select.statement.overrides.<database>.<table>`.
        selects: List = "", "snapshot.select.statement.overrides", Medium;
        /// With `configuration_based`: whether the tables are read.
        based_data: bool = "false", "snapshot.mode.configuration.based.snapshot.data", Low;
        /// With `configuration_based`: whether changes are streamed.
        based_stream: bool = "false", "snapshot.mode.configuration.based.start.stream", Low;
        /// With `configuration_based`: whether the tables are read when the stored position cannot be continued.
        based_on_data_error: bool = "false", "snapshot.mode.configuration.based.snapshot.on.data.error", Low;
        /// How long to wait for locks of tables.
        snapshot_lock_timeout: Millis = "10000", "snapshot.lock.timeout.ms", Low;
        /// Which tables are read first, by the server's estimates of their sizes.
        snapshot_order: TableOrder = "disabled", "snapshot.tables.order.by.row.count", Medium;
        /// How many connections read tables at the same time, all as of the same moment. One more holds that moment.
        snapshot_threads: Threads = "1", "snapshot.max.threads", Medium;
        /// Into how many parts for each connection a table is cut; `snapshot.max.threads.multiplier.<database>.<table>` says so for one.
        /// Small tables are not cut.
        snapshot_parts: Positive = "1", "snapshot.max.threads.multiplier", Medium;
        /// Whether each table is read by one connection, whatever its size.
        legacy_threads: bool = "false", "legacy.snapshot.max.threads", Low;
        /// How long to wait between a snapshot and the stream.
        streaming_delay: Millis = "0", "streaming.delay.ms", Low;
        /// How long to wait before a snapshot.
        snapshot_delay: Millis = "0", "snapshot.delay.ms", Low;
    }
    group "Signals" {
        /// The table whose new rows are signals, as `database.table`, with the columns id, type and data. It is captured too.
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
        time_precision: TimePrecision = "adaptive_time_microseconds", "time.precision.mode", Medium;
        /// How bytes are shown.
        binary_mode: BinaryMode = "bytes", "binary.handling.mode", Medium;
        /// How integers of 64 bits without a sign are shown.
        big_unsigned: BigUnsigned = "long", "bigint.unsigned.handling.mode", Medium;
        /// Whether years of two digits are those around 2000.
        adjusts_years: bool = "true", "enable.time.adjuster", Low;
    }
    group "Records" {
        /// How tables make the names of topics.
        topic_naming: Strategy = "io.debezium.schema.DefaultTopicNamingStrategy", "topic.naming.strategy", Low;
        /// Whether a delete is followed by a tombstone.
        tombstones: bool = "true", "tombstones.on.delete", Medium;
        /// Operations to leave out: `none`, or letters of c, u, d, t.
        skipped: SkippedOperations = "t", "skipped.operations", Low;
        /// Whether updates that change nothing that is captured are left out. Only with binlog_row_image=FULL this can be told.
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

impl Rules for MySqlConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !is_prefix(&self.topic_prefix) {
            let why = "Only letters, digits, dots, underscores and hyphens are allowed";
            findings.push(Finding::invalid("topic.prefix", &self.topic_prefix, why));
        }
        if self.time_precision == TimePrecision::Adaptive {
            let why = "adaptive is not known to MySQL: use adaptive_time_microseconds";
            findings.push(Finding::invalid("time.precision.mode", "adaptive", why));
        }
        if self.ssl_cert.is_some() != self.ssl_key.is_some() {
            let (given, missing) = match self.ssl_cert {
                Some(_) => ("database.ssl.cert", "database.ssl.key"),
                None => ("database.ssl.key", "database.ssl.cert"),
            };
            let what = format!("\"{given}\" needs \"{missing}\"");
            findings.push(Finding::error(missing, what));
        }
        if self.transaction_factory != TRANSACTION_FACTORY {
            let why = format!("Only {TRANSACTION_FACTORY} is known");
            let key = "transaction.metadata.factory";
            findings.push(Finding::invalid(key, &self.transaction_factory, &why));
        }
        captured::captured(self, &mut findings);
        gtid_filter(self, &mut findings);
        let (mode, locking) = (self.snapshot_mode, self.snapshot_locking);
        let modes = [
            ("snapshot.mode", mode == SnapshotMode::Custom),
            ("snapshot.locking.mode", locking == Locking::Custom),
        ];
        no_custom(&modes, &mut findings);
        self.channels().rules(&mut findings);
        Converters::new(&self.rest, &mut findings);
        findings.extend(foreign::errors(&self.rest));
        findings
    }
}

/// Of Debezium's history, which is not kept here: whether the topic of schema changes tells of captured tables alone.
const ONLY_CAPTURED: &str = "schema.history.internal.store.only.captured.tables.ddl";

impl MySqlConfig {
    /// How connections are compressed, also by the word of Debezium's driver.
    pub(crate) fn compression(&self) -> Compress {
        let given = self.rest.get("driver.useCompression");
        let is_wanted = given.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        match self.compression {
            Compress::None if is_wanted => Compress::Zlib,
            chosen => chosen,
        }
    }

    /// Whether the topic of schema changes tells of captured tables alone, not of all in captured databases.
    pub(crate) fn tells_captured_only(&self) -> bool {
        let given = self.rest.get(ONLY_CAPTURED);
        given.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn channels(&self) -> Channels<'_> {
        Channels {
            signals: &self.signal_channels,
            signal_table: self.signal_table.as_deref(),
            notifications: &self.notification_channels,
            notification_topic: self.notification_topic.as_deref(),
        }
    }

    /// How the work of snapshots is divided.
    pub(crate) fn division(&self) -> Division {
        let (threads, parts) = (self.snapshot_threads.0, self.snapshot_parts.0);
        Division::new(threads, parts, self.legacy_threads, &self.rest)
    }

    /// How topics are named; `None` with findings when it cannot be done so.
    pub(crate) fn naming(&self, findings: &mut Vec<Finding>) -> Option<Naming> {
        let given = Given {
            strategy: by_database(self.topic_naming),
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

    /// What `snapshot.mode` comes to.
    pub(crate) fn policy(&self) -> Policy {
        use SnapshotMode::{Always, ConfigurationBased, InitialOnly, NoData, Recovery, WhenNeeded};
        let mode = self.snapshot_mode;
        let based = mode == ConfigurationBased;
        Policy {
            first: match based {
                true => self.based_data,
                false => !matches!(mode, NoData | Recovery),
            },
            always: mode == Always || (based && self.based_data),
            on_loss: mode == WhenNeeded || (based && self.based_on_data_error),
            streams: match based {
                true => self.based_stream,
                false => mode != InitialOnly,
            },
        }
    }
}

/// A strategy, where the database stands in the place of the schema: what is the default here names it, what is that for
/// schemas does not.
fn by_database(strategy: Strategy) -> Strategy {
    match strategy {
        Strategy::Default => Strategy::Schema,
        Strategy::Schema => Strategy::Default,
        Strategy::DefaultUnicode => Strategy::SchemaUnicode,
        Strategy::SchemaUnicode => Strategy::DefaultUnicode,
        Strategy::DefaultRegex => Strategy::SchemaRegex,
        Strategy::SchemaRegex => Strategy::DefaultRegex,
    }
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
            ("database.server.id", "184054"),
        ];
        let all = base.iter().chain(more);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_defaults_are_those_that_users_know() {
        let config = MySqlConfig::parse(&given(&[])).unwrap();
        assert_eq!((config.port, config.server_id), (3306, ServerId(184_054)));
        assert!(config.skipped.truncate && config.tombstones);
        assert_eq!(config.topic_naming, Strategy::Default);
        assert!(config.policy().first && config.policy().streams);
    }

    #[test]
    fn every_mistake_is_found() {
        let bad = given(&[
            ("topic.prefix", "a b"),
            ("time.precision.mode", "adaptive"),
            ("database.ssl.cert", "/some/file"),
            ("table.include.list", "("),
        ]);
        let findings = MySqlConfig::parse(&bad).unwrap_err();
        let keys: Vec<&str> = findings.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "topic.prefix",
                "time.precision.mode",
                "database.ssl.key",
                "table.include.list"
            ]
        );
        let none = MySqlConfig::parse(&given(&[("database.server.id", "0")]));
        assert_eq!(none.unwrap_err()[0].key, "database.server.id");
    }
}
