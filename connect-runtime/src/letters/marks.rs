//! What was done with letters, told by records among them.
//!
//! A mark has no key, a header [`MARK`] that says `replayed` or `purged`, and as its value the places as JSON: `[[0,17],[0,18]]`.

use std::collections::BTreeSet;

use connect_core::{Encoded, encoded::EncodedRecord};

use super::{At, Letter, letter::header};

/// The header that makes a record a mark.
pub(super) const MARK: &str = "__tidewater.letters";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Replayed,
    Purged,
}

impl Done {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Purged => "purged",
        }
    }
}

/// All marks of a topic: at most one place for each of its letters.
#[derive(Debug, Default)]
pub(super) struct Marks {
    replayed: BTreeSet<At>,
    purged: BTreeSet<At>,
}

impl Marks {
    /// Takes in a record, if it is a mark.
    pub(super) fn take(&mut self, records: &Encoded, record: &EncodedRecord) {
        let Some(done) = header(records, record, MARK) else {
            return;
        };
        let value = records.value(record).unwrap_or_default();
        // Somebody else's nonsense marks nothing.
        let places: Vec<At> = serde_json::from_slice(value).unwrap_or_default();
        match done.as_str() {
            "replayed" => self.replayed.extend(places),
            "purged" => self.purged.extend(places),
            _ => {}
        }
    }

    pub(super) fn is_purged(&self, at: At) -> bool {
        self.purged.contains(&at)
    }

    pub(super) fn is_replayed(&self, at: At) -> bool {
        self.replayed.contains(&at)
    }

    /// A letter with what is known of it here.
    pub(super) fn marked(&self, letter: Letter) -> Letter {
        let replayed = self.is_replayed(letter.at());
        Letter { replayed, ..letter }
    }
}

/// Appends a mark of these places to what is written into the topic.
pub(super) fn mark(out: &mut Encoded, topic: &std::sync::Arc<str>, done: Done, places: &[At]) {
    let value = serde_json::to_vec(places).unwrap_or_default();
    out.push(topic, None, Some(&value), -1).partition = Some(0);
    out.push_header(MARK, Some(done.name().as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_and_nonsense_marks_nothing() {
        let topic = "dead".into();
        let mut records = Encoded::default();
        mark(&mut records, &topic, Done::Replayed, &[(0, 3), (1, 4)]);
        mark(&mut records, &topic, Done::Purged, &[(0, 5)]);
        records.push(&topic, None, Some(b"[[0"), -1);
        records.push_header(MARK, Some(b"purged"));
        records.push(&topic, None, Some(b"[[0,6]]"), -1);
        let mut marks = Marks::default();
        for record in &records.records {
            marks.take(&records, record);
        }
        assert!(marks.is_replayed((0, 3)) && marks.is_replayed((1, 4)));
        assert!(marks.is_purged((0, 5)) && !marks.is_purged((0, 6)));
    }
}
