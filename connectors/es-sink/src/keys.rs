//! The id and the version of a record's document.

use std::{collections::HashSet, ops::Range, sync::Arc};

use connect_core::{Datum, Error, Result, batch::Row, change::source_of, template::Template};

use crate::{
    bulk::Ops,
    config::{EsConfig, VersionSource},
    error::{ID, VERSION},
};

/// Makes ids and versions from records.
pub(crate) struct Keys {
    template: Template,
    source: VersionSource,
    /// Topics that have sent envelopes, so that their tombstones say nothing new.
    enveloped: HashSet<Arc<str>>,
}

/// The servers take no longer id.
const LONGEST_ID: usize = 512;

impl Keys {
    /// The ids and versions that a configuration asks for.
    pub(crate) fn new(config: &EsConfig) -> Result<Self> {
        Ok(Self {
            template: config.id_template().map_err(Error::config)?,
            source: config.version_source,
            enveloped: HashSet::new(),
        })
    }

    /// Looks at a record that is no tombstone.
    pub(crate) fn see(&mut self, row: Row<'_>) {
        if source_of(row).is_some() && !self.enveloped.contains(row.topic()) {
            self.enveloped.insert(Arc::clone(row.topic()));
        }
    }

    /// Whether the topic's deletes are told by envelopes, so that a tombstone says nothing new.
    pub(crate) fn is_enveloped(&self, row: Row<'_>) -> bool {
        self.enveloped.contains(row.topic())
    }

    /// Appends the id to the arena.
    pub(crate) fn id(
        &self,
        row: Row<'_>,
        side: Option<Datum<'_>>,
        ops: &mut Ops,
    ) -> Result<Range<usize>> {
        let from = ops.arena.len();
        let side = side.or_else(|| Some(row.key()));
        self.template
            .render(row, side, &mut ops.arena)
            .map_err(|err| Error::new(&ID, "the record gives no id").caused_by(err))?;
        match ops.arena.len() - from {
            0 => Err(Error::new(&ID, "the record gives an empty id")),
            1..=LONGEST_ID => Ok(from..ops.arena.len()),
            _ => Err(Error::new(
                &ID,
                "the record gives an id of more than 512 bytes",
            )),
        }
    }

    /// Whether an update can change the id.
    pub(crate) fn can_move(&self) -> bool {
        self.template.reads_row()
    }

    /// The version of the record's document.
    pub(crate) fn version(&self, row: Row<'_>) -> Result<Option<i64>> {
        match self.source {
            VersionSource::None => Ok(None),
            VersionSource::Offset => Ok(Some(row.record().offset).filter(|offset| *offset >= 0)),
            VersionSource::Lsn => source_of(row)
                .and_then(|source| source.get("lsn")?.int())
                .filter(|lsn| *lsn >= 0)
                .map(Some)
                .ok_or_else(|| Error::new(&VERSION, "the record has no source.lsn")),
        }
    }
}
