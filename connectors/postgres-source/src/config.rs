//! The properties of the connector: Debezium's names and defaults.

use std::collections::BTreeMap;

use cdc::{
    adjust::Adjustment,
    filters::Filter,
    masks::{Mask, Masks},
    modes::{BinaryMode, DecimalMode, SkippedOperations, TimePrecision},
    topics::is_prefix,
};
use connect_core::{
    Finding, Secret, choice,
    config::{List, Millis, ParseValue, Positive, Rules},
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
        /// How long to wait before a snapshot.
        snapshot_delay: Millis = "0", "snapshot.delay.ms", Low;
        /// Largest number of rows that the server hands over at once. Rows are streamed, so it has no effect here.
        snapshot_fetch_size: Positive = "10240", "snapshot.fetch.size", Low;
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
    }
    group "Records" {
        /// Whether a delete is followed by a tombstone.
        tombstones: bool = "true", "tombstones.on.delete", Medium;
        /// Operations to leave out: `none`, or letters of c, u, d, t.
        skipped: SkippedOperations = "t", "skipped.operations", Low;
        /// Whether updates that change nothing that is captured are left out. Only with REPLICA IDENTITY FULL this can be told.
        skip_unchanged: bool = "false", "skip.messages.without.change", Low;
        /// How the names of schemas are made fit for Avro.
        schema_names: Adjustment = "none", "schema.name.adjustment.mode", Medium;
        /// How the names of fields are made fit for Avro.
        field_names: Adjustment = "none", "field.name.adjustment.mode", Medium;
        /// How often a heartbeat is sent; 0 for never.
        heartbeat_interval: Millis = "0", "heartbeat.interval.ms", Medium;
        /// A statement to run with each heartbeat.
        heartbeat_query: Option<String> = none, "heartbeat.action.query", Low;
        /// Prefix of the heartbeat topic.
        heartbeat_prefix: String = "__debezium-heartbeat", "topic.heartbeat.prefix", Low;
        /// The heartbeat topic itself, instead of prefix and topic.prefix.
        heartbeat_topic: Option<String> = none, "topic.heartbeat.name", Low;
        /// What stands between the parts of a topic name.
        topic_delimiter: String = ".", "topic.delimiter", Low;
    }
}

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
        Captured::new(self, &mut findings);
        findings
    }
}

fn is_slot_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Which tables and columns are captured, and which columns make their keys.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    schemas: Filter,
    tables: Filter,
    columns: Filter,
    snapshot: Filter,
    keys: Vec<KeyRule>,
    masks: Masks,
    /// Statements by full names of tables.
    selects: BTreeMap<String, String>,
    ignore_builtin: bool,
}

/// One rule of `message.key.columns`.
#[derive(Debug, Clone)]
struct KeyRule {
    table: regex::Regex,
    columns: Vec<String>,
}

impl Captured {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub(crate) fn new(config: &PostgresConfig, findings: &mut Vec<Finding>) -> Option<Self> {
        let schemas = Filter::new(
            ("schema.include.list", &config.schema_include),
            ("schema.exclude.list", &config.schema_exclude),
            findings,
        );
        let tables = Filter::new(
            ("table.include.list", &config.table_include),
            ("table.exclude.list", &config.table_exclude),
            findings,
        );
        let columns = Filter::new(
            ("column.include.list", &config.column_include),
            ("column.exclude.list", &config.column_exclude),
            findings,
        );
        let snapshot = Filter::new(
            ("snapshot.include.collection.list", &config.snapshot_include),
            ("", &List::default()),
            findings,
        );
        let masks = Masks::new(&config.rest, findings);
        let keys = key_rules(config.message_key_columns.as_deref(), findings);
        Some(Self {
            schemas: schemas?,
            tables: tables?,
            columns: columns?,
            snapshot: snapshot?,
            keys: keys?,
            masks: masks?,
            selects: selects(config, findings)?,
            ignore_builtin: config.ignore_builtin,
        })
    }

    /// Whether a table is captured.
    pub(crate) fn table(&self, schema: &str, table: &str) -> bool {
        let builtin = matches!(schema, "pg_catalog" | "information_schema" | "pg_toast");
        !(builtin && self.ignore_builtin)
            && self.schemas.passes(schema)
            && self.tables.passes(&format!("{schema}.{table}"))
    }

    /// Whether a captured table takes part in snapshots.
    pub(crate) fn in_snapshot(&self, schema: &str, table: &str) -> bool {
        self.snapshot.passes(&format!("{schema}.{table}"))
    }

    /// Whether a column of a captured table is captured.
    pub(crate) fn column(&self, schema: &str, table: &str, column: &str) -> bool {
        self.columns.is_open() || self.columns.passes(&format!("{schema}.{table}.{column}"))
    }

    /// The statement that gives the rows of a table in snapshots, if it is not the table itself.
    pub(crate) fn select(&self, schema: &str, table: &str) -> Option<&String> {
        self.selects.get(&format!("{schema}.{table}"))
    }

    /// How the values of a column are hidden.
    pub(crate) fn mask(&self, schema: &str, table: &str, column: &str) -> Option<&Mask> {
        self.masks.of(&format!("{schema}.{table}.{column}"))
    }

    /// The columns that make the key of a table, where a rule says so.
    pub(crate) fn key(&self, schema: &str, table: &str) -> Option<&[String]> {
        let name = format!("{schema}.{table}");
        let rule = self.keys.iter().find(|rule| rule.table.is_match(&name))?;
        Some(&rule.columns)
    }
}

fn selects(
    config: &PostgresConfig,
    findings: &mut Vec<Finding>,
) -> Option<BTreeMap<String, String>> {
    let mut selects = BTreeMap::new();
    for table in &config.selects.0 {
        let key = format!("snapshot.select.statement.overrides.{table}");
        let Some(select) = config.rest.get(&key) else {
            findings.push(Finding::error(&key, format!("\"{key}\" is missing")));
            return None;
        };
        let select = select.trim().trim_end_matches(';');
        selects.insert(table.clone(), select.to_owned());
    }
    Some(selects)
}

fn key_rules(text: Option<&str>, findings: &mut Vec<Finding>) -> Option<Vec<KeyRule>> {
    let mut rules = Vec::new();
    for part in text
        .unwrap_or_default()
        .split(';')
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        let rule = part.rsplit_once(':').and_then(|(table, columns)| {
            let table = regex::Regex::new(&format!("(?i)^(?:{})$", table.trim())).ok()?;
            let List(columns) = List::parse_value(columns).ok()?;
            (!columns.is_empty()).then_some(KeyRule { table, columns })
        });
        match rule {
            Some(rule) => rules.push(rule),
            None => {
                let why = "Must be a list of <table>:<column>,<column> separated by semicolons";
                findings.push(Finding::invalid("message.key.columns", part, why));
                return None;
            }
        }
    }
    Some(rules)
}

#[cfg(test)]
mod tests {
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
                "message.key.columns"
            ]
        );
    }

    #[test]
    fn tables_columns_and_keys_follow_the_lists() {
        let config = PostgresConfig::parse(&given(&[
            ("table.include.list", "public\\.orders,public.o_.*"),
            ("column.exclude.list", "public.orders.secret"),
            ("message.key.columns", "public.orders:a,b;(.*).o_x:c"),
        ]))
        .unwrap();
        let captured = Captured::new(&config, &mut Vec::new()).unwrap();
        assert!(captured.table("public", "orders") && captured.table("public", "o_1"));
        assert!(!captured.table("public", "customers") && !captured.table("pg_catalog", "orders"));
        assert!(!captured.column("public", "orders", "secret"));
        assert!(captured.column("public", "orders", "id"));
        assert_eq!(captured.key("public", "orders").unwrap(), ["a", "b"]);
        assert_eq!(captured.key("x", "o_x").unwrap(), ["c"]);
        assert!(captured.key("public", "o_1").is_none());
    }
}
