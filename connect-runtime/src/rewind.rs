//! Lets connectors go back; they never go forward.
//!
//! A sink goes back in its topics, to a time or to the first records that are still there. A source says itself where it can go back to, since
//! its server alone knows what it still has ([`connect_core::SourceConnector::rewind`]).

mod sink;
mod source;

use connect_core::{Error, Result};
use serde::Serialize;

pub use connect_core::rewind::To;
pub use sink::{Back, SinkRewound};
pub use source::SourceRewound;

use crate::{
    answers::ConnectorKind,
    error::BAD_REQUEST,
    herder::{Herder, OffsetChange, REQUEST_TIMEOUT, within},
    offset_request::must_be_stopped,
};

/// From a time as ISO 8601: `2026-11-30T12:00:00Z`.
pub fn to_time(text: &str) -> Result<To> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| To::Time(time.as_millisecond()))
        .map_err(|_| {
            let what = format!("'{text}' is no time: write it as 2026-11-30T12:00:00Z");
            Error::new(&BAD_REQUEST, what)
        })
}

/// What going back does, or would do.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Rewound {
    /// Of a sink.
    Sink(SinkRewound),
    /// Of a source.
    Source(Box<SourceRewound>),
}

impl Herder {
    /// Sets the offsets of a stopped connector back. A dry run also answers while it runs. 400 when it is not stopped, or cannot go there.
    pub async fn rewind(&self, name: &str, to: To, dry_run: bool) -> Result<Rewound> {
        let info = self.shared.info(name)?;
        if !dry_run {
            must_be_stopped(&self.shared, name)?;
        }
        let planned = async {
            Ok(match info.kind {
                ConnectorKind::Sink => {
                    let planned = sink::plan(&self.shared, &info, &to).await?;
                    (planned.change(), Rewound::Sink(planned))
                }
                _ => {
                    let (change, planned) = source::plan(&self.shared, &info, to).await?;
                    (change, Rewound::Source(Box::new(planned)))
                }
            })
        };
        let (change, mut rewound): (OffsetChange, Rewound) =
            within(REQUEST_TIMEOUT, planned).await?;
        match &mut rewound {
            Rewound::Sink(sink) => sink.dry_run = dry_run,
            Rewound::Source(source) => source.dry_run = dry_run,
        }
        if !dry_run && !change.is_empty() {
            self.alter_offsets(name, change).await?;
        }
        Ok(rewound)
    }
}
