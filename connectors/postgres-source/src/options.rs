//! The choices of the properties on snapshots and signals.

use cdc::options::{Channels, Policy, no_custom};
use connect_core::{Finding, choice};

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

/// What does not go together, and what has no effect here.
pub(crate) fn rules(config: &PostgresConfig, findings: &mut Vec<Finding>) {
    let (mode, locking) = (config.snapshot_mode, config.snapshot_locking);
    let modes = [
        ("snapshot.mode", mode == SnapshotMode::Custom),
        ("snapshot.locking.mode", locking == Locking::Custom),
    ];
    no_custom(&modes, findings);
    let channels = Channels {
        signals: &config.signal_channels,
        signal_table: config.signal_table.as_deref(),
        notifications: &config.notification_channels,
        notification_topic: config.notification_topic.as_deref(),
    };
    channels.rules(findings);
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

/// What a `snapshot.mode` comes to.
pub(crate) fn policy(config: &PostgresConfig) -> Policy {
    use SnapshotMode::{Always, ConfigurationBased, InitialOnly, NoData, WhenNeeded};
    let mode = config.snapshot_mode;
    let based = mode == ConfigurationBased;
    Policy {
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
