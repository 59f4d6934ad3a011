//! The records of the spill, one by one.

use std::{collections::VecDeque, time::Duration};

use connect_core::{
    Error, Result,
    keep::{Page, Reader, Store},
    outside::Letter,
};

use super::Kind;
use crate::error;

/// How long a look for records may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is being read.
pub(crate) struct Spool {
    reader: Box<dyn Reader>,
    letters: VecDeque<Letter>,
    end: Option<i64>,
    topic: String,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A record: what it is, its bytes, its offset.
    Record(Kind, Vec<u8>, i64),
    /// Nothing yet.
    Nothing,
    /// Nothing more; the offset behind everything.
    End(i64),
}

impl Spool {
    /// What a store has; `None` when that is nothing.
    pub(crate) async fn open(store: &dyn Store) -> Result<Option<Self>> {
        let reader = store.reader().await?;
        Ok(reader.map(|reader| Self {
            reader,
            letters: VecDeque::new(),
            end: None,
            topic: store.name().to_owned(),
        }))
    }

    /// The next record.
    pub(super) async fn next(&mut self) -> Result<Next> {
        if self.letters.is_empty() && self.end.is_none() {
            let Page { letters, end } = self.reader.next(PATIENCE).await?;
            (self.letters, self.end) = (letters.into(), end);
        }
        let Some(letter) = self.letters.pop_front() else {
            return Ok(self.end.map_or(Next::Nothing, Next::End));
        };
        let kind = letter.key.as_deref().and_then(Kind::parse);
        let kind = kind.ok_or_else(|| self.damaged("a record is none of ours"))?;
        let bytes = letter.value.unwrap_or_default();
        Ok(Next::Record(kind, bytes, letter.offset))
    }

    /// The error of a topic that somebody else has changed.
    pub(super) fn damaged(&self, what: &'static str) -> Error {
        Error::new(&error::SPILL, what).context("topic", &self.topic)
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
