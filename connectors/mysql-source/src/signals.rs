//! Signals out of the stream: rows of the signal table. Those from elsewhere: [`cdc::channels`].

use cdc::{
    channels::Wanted,
    signal::Signal,
    text::{Frame, spanned},
};
use connect_core::{Batch, Cell};

use crate::config::MySqlConfig;

/// The channels besides the signal table, as configured.
pub(crate) fn channels(config: &MySqlConfig) -> Wanted<'_> {
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
pub(crate) fn of_row(row: &[Cell], frame: Option<Frame<'_>>, out: &Batch) -> Option<Signal> {
    let [id, kind, data] = texts(row, frame, out)?;
    Some(Signal {
        id: id?,
        kind: kind?,
        data: data.unwrap_or_default(),
    })
}

/// A deleted row: that of a mark that opened a window closes it.
pub(crate) fn of_deletion(row: &[Cell], frame: Option<Frame<'_>>, out: &Batch) -> Option<Signal> {
    let [id, ..] = texts(row, frame, out)?;
    let id = id.filter(|id| id.ends_with("-open"))?;
    Some(Signal {
        id,
        kind: "snapshot-window-close".to_owned(),
        data: String::new(),
    })
}

fn texts(row: &[Cell], frame: Option<Frame<'_>>, out: &Batch) -> Option<[Option<String>; 3]> {
    let Ok(cells) = <&[Cell; 3]>::try_from(row) else {
        tracing::warn!(
            columns = row.len(),
            "a signal table has three columns: id, type, data"
        );
        return None;
    };
    Some(cells.map(|cell| match cell {
        Cell::Span(span) => {
            let text = spanned(span, frame, out);
            Some(String::from_utf8_lossy(text).into_owned())
        }
        _ => None,
    }))
}
