//! The choices of the properties on snapshots and signals.

use connect_core::{
    Finding, choice,
    config::{List, ParseValue},
};

use crate::config::PostgresConfig;

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
        /// As `snapshot.mode.configuration.based.*` says.
        ConfigurationBased = "configuration_based",
        /// A Java class, which cannot run here.
        Custom = "custom",
    }
}

choice! {
    /// `snapshot.isolation.mode`
    pub enum Isolation {
        /// One moment that a serial order of transactions could have: waits for one.
        Serializable = "serializable",
        /// One moment.
        RepeatableRead = "repeatable_read",
        /// Each table at its own moment.
        ReadCommitted = "read_committed",
        /// The same: PostgreSQL shows nobody what is not committed.
        ReadUncommitted = "read_uncommitted",
    }
}

choice! {
    /// `snapshot.locking.mode`
    pub enum Locking {
        /// Tables can be altered while they wait to be read.
        None = "none",
        /// Tables cannot be altered until the snapshot is complete.
        Shared = "shared",
        /// A Java class, which cannot run here.
        Custom = "custom",
    }
}

choice! {
    /// `snapshot.tables.order.by.row.count`
    pub enum TableOrder {
        /// By their names.
        Disabled = "disabled",
        /// Small tables first.
        Ascending = "ascending",
        /// Large tables first.
        Descending = "descending",
    }
}

choice! {
    /// `incremental.snapshot.watermarking.strategy`
    pub enum Watermarking {
        /// A row opens the window of a chunk, another closes it.
        InsertInsert = "insert_insert",
        /// A row opens the window of a chunk, its deletion closes it.
        InsertDelete = "insert_delete",
    }
}

/// What does not go together, and what has no effect here.
pub(crate) fn rules(config: &PostgresConfig, findings: &mut Vec<Finding>) {
    let classes = [
        (
            "snapshot.mode",
            config.snapshot_mode == SnapshotMode::Custom,
        ),
        (
            "snapshot.locking.mode",
            config.snapshot_locking == Locking::Custom,
        ),
    ];
    for (key, _) in classes.into_iter().filter(|(_, is_custom)| *is_custom) {
        let why =
            "A custom mode is a Java class, and no Java runs here: choose one of the other modes";
        findings.push(Finding::invalid(key, "custom", why));
    }
    let signals = ["source", "kafka", "file"];
    channels(
        "signal.enabled.channels",
        &config.signal_channels,
        &signals,
        findings,
    );
    let notifications = ["sink", "log"];
    let given = &config.notification_channels;
    channels(
        "notification.enabled.channels",
        given,
        &notifications,
        findings,
    );
    if given.0.iter().any(|name| name == "sink") && config.notification_topic.is_none() {
        findings.push(Finding::error(
            "notification.sink.topic.name",
            "Notification topic name must be provided when kafka notification channel is enabled",
        ));
    }
    if let Some(name) = &config.signal_table
        && signal_table(name).is_none()
    {
        let why = "It must be the name of one table, <schema>.<table>";
        findings.push(Finding::invalid("signal.data.collection", name, why));
    }
    stream_params(config, findings);
}

/// Options of pgoutput that decide how the stream is read, so that they are not for others to set; and what does, if anything.
const OWN_PARAMS: [(&str, &str); 6] = [
    ("proto_version", "it is chosen by the server's version"),
    ("publication_names", "`publication.name` has it"),
    ("messages", "it is on where the server has it"),
    ("streaming", "`stream.in.progress.transactions` sets it"),
    ("binary", "values are read as text"),
    ("two_phase", "transactions are read when they are committed"),
];

/// The names and values in `slot.stream.params`.
pub(crate) fn params(text: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.unwrap_or_default().split(';');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
}

fn stream_params(config: &PostgresConfig, findings: &mut Vec<Finding>) {
    for (name, value) in params(config.slot_stream_params.as_deref()) {
        let own = OWN_PARAMS
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((_, why)) = own {
            let given = format!("{name}={value}");
            let why = format!("`{name}` cannot be set here: {why}");
            findings.push(Finding::invalid("slot.stream.params", &given, &why));
        }
    }
}

fn channels(key: &str, given: &List, known: &[&str], findings: &mut Vec<Finding>) {
    for name in given
        .0
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
    {
        let what = format!(
            "\"{key}\" has \"{name}\", which has no effect here; known are {}",
            known.join(", ")
        );
        findings.push(Finding::warning(key, what));
    }
}

/// Schema and table of `signal.data.collection`; a database before them is left out.
pub(crate) fn signal_table(name: &str) -> Option<(&str, &str)> {
    let (schema, table) = name.trim().rsplit_once('.')?;
    let schema = schema.rsplit('.').next()?;
    (!schema.is_empty() && !table.is_empty()).then_some((schema, table))
}

/// `snapshot.max.threads`: at least one, at most so many that a server still has connections for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(pub u16);

/// More than this many connections help no server.
const MAX_THREADS: u16 = 64;

impl ParseValue for Threads {
    const KIND: connect_core::config::Kind = connect_core::config::Kind::Int;
    const WIDTH: connect_core::config::Width = connect_core::config::Width::Short;

    fn parse_value(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number @ 1..=MAX_THREADS) => Ok(Self(number)),
            _ => Err(format!("Must be a number from 1 to {MAX_THREADS}")),
        }
    }
}

/// What a `snapshot.mode` comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions with yes and no"
)]
pub(crate) struct Policy {
    /// Whether tables are read when nothing is stored.
    pub first: bool,
    /// Whether they are read at every start.
    pub always: bool,
    /// Whether they are read when the stored position cannot be continued.
    pub on_loss: bool,
    /// Whether changes are streamed.
    pub streams: bool,
}

impl Policy {
    /// As configured.
    pub(crate) fn of(config: &PostgresConfig) -> Self {
        use SnapshotMode::{Always, ConfigurationBased, InitialOnly, NoData, WhenNeeded};
        let mode = config.snapshot_mode;
        let based = mode == ConfigurationBased;
        Self {
            first: if based {
                config.based_data
            } else {
                mode != NoData
            },
            always: mode == Always || (based && config.based_data),
            on_loss: mode == WhenNeeded || (based && config.based_on_data_error),
            streams: if based {
                config.based_stream
            } else {
                mode != InitialOnly
            },
        }
    }
}
