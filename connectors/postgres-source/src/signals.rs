//! Signals out of the stream: rows of the signal table. Those from elsewhere: [`cdc::channels`].

use cdc::{channels::Wanted, signal::Signal};

use crate::{
    PostgresConfig,
    pgoutput::{Tuple, Value},
};

/// The channels besides the signal table, as configured.
pub(crate) fn channels(config: &PostgresConfig) -> Wanted<'_> {
    Wanted {
        prefix: &config.topic_prefix,
        channels: &config.signal_channels,
        topic: config.signal_topic.as_deref(),
        group: &config.signal_group,
        file: &config.signal_file,
        every: config.signal_interval.0,
        patience: config.signal_patience.0,
    }
}

/// An inserted row: id, type and data, by their places. A table with other columns is none of signals.
pub(crate) fn of_row(row: Tuple<'_>) -> Option<Signal> {
    let [id, kind, data] = texts(row)?;
    Some(Signal {
        id: id?,
        kind: kind?,
        data: data.unwrap_or_default(),
    })
}

/// A deleted row: that of a mark that opened a window closes it.
pub(crate) fn of_deletion(row: Tuple<'_>) -> Option<Signal> {
    let [id, ..] = texts(row)?;
    let id = id.filter(|id| id.ends_with("-open"))?;
    Some(Signal {
        id,
        kind: "snapshot-window-close".to_owned(),
        data: String::new(),
    })
}

fn texts(row: Tuple<'_>) -> Option<[Option<String>; 3]> {
    if row.count != 3 {
        tracing::warn!(
            columns = row.count,
            "a signal table has three columns: id, type, data"
        );
        return None;
    }
    let text = |value| match value {
        Ok(Value::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    let all: Vec<Option<String>> = row.values().map(text).collect();
    all.try_into().ok()
}
