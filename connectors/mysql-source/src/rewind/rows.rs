//! Counts the changed rows of captured tables on a walk along the binlog. A table map tells how rows lie, so nobody is asked.

use cdc::captured::Captured;
use connect_core::{Error, Result};
use rustc_hash::FxHashMap;

use crate::{
    binlog::{self, EVENT_LIMIT, Event, Header, Inflater, Payload},
    decode,
    layout::Layout,
};

/// Invariant 4: no server has more tables open than this; the numbers of others are forgotten.
const MOST_NUMBERS: usize = 100_000;

/// A count.
pub(super) struct Rows {
    payload: Payload,
    plain: Plain,
    /// What went wrong: nothing is counted any more.
    failed: Option<Error>,
}

/// What comes out of payloads, and what never was in one.
struct Plain {
    captured: Captured,
    /// How the rows of a table lie, by its number; `None` for one that nobody captures.
    layouts: FxHashMap<u64, Option<Box<[Layout]>>>,
    inflater: Inflater,
    count: u64,
}

impl Rows {
    /// Of these tables.
    pub(super) fn of(captured: Captured) -> Result<Self> {
        Ok(Self {
            payload: Payload::new(EVENT_LIMIT)?,
            plain: Plain {
                captured,
                layouts: FxHashMap::default(),
                inflater: Inflater::new(EVENT_LIMIT),
                count: 0,
            },
            failed: None,
        })
    }

    /// How many there were, or why nobody knows.
    pub(super) fn count(self) -> Result<u64> {
        self.failed.map_or(Ok(self.plain.count), Err)
    }

    /// Takes an event as it lies in the file.
    pub(super) fn take(&mut self, event: &[u8], header: &Header, checked: bool) {
        if self.failed.is_none() {
            self.failed = self.taken(event, header, checked).err();
        }
    }

    fn taken(&mut self, event: &[u8], header: &Header, checked: bool) -> Result<()> {
        let body = binlog::body(event, header, checked)?;
        let Event::Payload(mut bytes) = binlog::event(header, body)? else {
            return self.plain.event(header, body);
        };
        self.payload.begin(*header)?;
        while let Some((header, body)) = self.payload.next(&mut bytes)? {
            self.plain.event(&header, body)?;
        }
        self.payload.end()
    }
}

impl Plain {
    fn event(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        match binlog::event(header, body)? {
            Event::TableMap(map) => {
                let is_captured = self.captured.table(map.database, map.name);
                let layouts = is_captured.then(|| Layout::of(&map)).transpose()?;
                if self.layouts.len() >= MOST_NUMBERS {
                    self.layouts.clear();
                }
                self.layouts
                    .insert(map.id, layouts.map(Vec::into_boxed_slice));
            }
            Event::Rows(rows) => {
                // Some servers end a statement with rows of no table.
                let Some(Some(layouts)) = self.layouts.get(&rows.table) else {
                    return Ok(());
                };
                if let Event::Rows(rows) = self.inflater.event(Event::Rows(rows))? {
                    self.count += decode::count(&rows, layouts)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
