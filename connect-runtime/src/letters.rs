//! Dead letters over the handle: listed, looked at, replayed, purged.
//!
//! A letter is known by its partition and offset in its topic. What was done with it is told by marks, which are records of that topic
//! too ([`marks`]), so that a mark is written in the same transaction as what it tells of. Whoever replays or purges first ends
//! everybody who was about to, on whatever worker, and only then reads what is marked: so a letter is replayed once, whichever worker
//! dies and whoever asks twice.

mod content;
mod letter;
mod marks;
mod purge;
mod replay;
mod topic;

use connect_core::{Error, Result};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{BAD_REQUEST, NOT_FOUND},
    herder::{Herder, REQUEST_TIMEOUT, within},
};
pub use letter::{Letter, Origin};
use marks::Marks;
pub use purge::{Purge, Purged};
pub use replay::{Edit, Replay, Replayed};
pub(crate) use replay::{restore, topic_name_of};
use topic::Letters;

/// Where a letter is in its topic.
pub type At = (i32, i64);

/// How many letters a list has at most.
const MOST_LISTED: usize = 1000;

/// Which letters; all that is left out fits.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The stage at which the record got stuck: `VALUE_CONVERTER`.
    pub stage: Option<String>,
    /// The topic that it was read from or meant for.
    pub topic: Option<String>,
    /// The code of the error, or a part of it: `record.invalid`.
    pub exception: Option<String>,
}

impl Filter {
    fn fits(&self, letter: &Letter) -> bool {
        let is = |wanted: &Option<String>, there: Option<&String>| {
            wanted.as_ref().is_none_or(|w| there == Some(w))
        };
        let part = letter.exception.as_deref().unwrap_or_default();
        is(&self.stage, letter.stage.as_ref())
            && is(&self.topic, letter.origin.topic.as_ref())
            && self.exception.as_ref().is_none_or(|e| part.contains(&**e))
    }
}

/// A part of the letters, in the order of their partitions and offsets.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Their topic.
    pub topic: String,
    /// At most as many as were asked for.
    pub letters: Vec<Letter>,
    /// What `from` has to be for more; none when these are the last.
    pub next: Option<String>,
}

/// A letter with what it holds.
#[derive(Debug, Serialize)]
pub struct Opened {
    /// What the list tells of it.
    #[serde(flatten)]
    pub letter: Letter,
    /// `{"json": …}`, `{"text": …}` or `{"base64": …}`; null for none.
    pub key: Value,
    /// The same of the value.
    pub value: Value,
    /// The same of each header.
    pub headers: Vec<(String, Value)>,
}

/// Dead letters.
impl Herder {
    /// The letters of a connector from a place on (`PARTITION:OFFSET`). 404 when it has no topic for them.
    pub async fn dead_letters(
        &self,
        name: &str,
        filter: &Filter,
        from: Option<&str>,
        limit: usize,
    ) -> Result<Listed> {
        let from = from.map(place).transpose()?.unwrap_or((0, 0));
        let listed = async {
            let letters = Letters::of(&self.shared, name).await?;
            let marks = letters.marks().await?;
            let limit = limit.clamp(1, MOST_LISTED);
            let mut listed = Vec::new();
            let mut next = None;
            letters
                .each(|letter, _, _| {
                    let at = (letter.partition, letter.offset);
                    if at < from || marks.is_purged(at) || !filter.fits(&letter) {
                        return;
                    }
                    listed.push(marks.marked(letter));
                    // Partitions come mixed, so the last of too many go.
                    if listed.len() > 2 * limit {
                        cut(&mut listed, limit, &mut next);
                    }
                })
                .await?;
            cut(&mut listed, limit, &mut next);
            let (topic, next) = (letters.topic().to_string(), next.map(shown));
            Ok(Listed {
                topic,
                letters: listed,
                next,
            })
        };
        within(REQUEST_TIMEOUT, listed).await
    }

    /// One letter with its content. 404 when it is not there, is somebody else's, or is purged.
    pub async fn dead_letter(&self, name: &str, at: At) -> Result<Opened> {
        let opened = async {
            let letters = Letters::of(&self.shared, name).await?;
            let marks = letters.marks().await?;
            let found = letters.at(at).await?;
            let found = found.filter(|_| !marks.is_purged(at));
            let mut opened = found.ok_or_else(|| missing(name, at))?;
            opened.letter = marks.marked(opened.letter);
            Ok(opened)
        };
        within(REQUEST_TIMEOUT, opened).await
    }

    /// Sends letters on their way again. 400 for an edit that does not hold.
    pub async fn replay_dead_letters(&self, name: &str, asked: &Replay) -> Result<Replayed> {
        within(REQUEST_TIMEOUT, replay::replay(&self.shared, name, asked)).await
    }

    /// Removes letters.
    pub async fn purge_dead_letters(&self, name: &str, asked: &Purge) -> Result<Purged> {
        within(REQUEST_TIMEOUT, purge::purge(&self.shared, name, asked)).await
    }
}

fn cut(listed: &mut Vec<Letter>, limit: usize, next: &mut Option<At>) {
    listed.sort_by_key(|letter| (letter.partition, letter.offset));
    if let Some(first) = listed.get(limit) {
        let at = (first.partition, first.offset);
        *next = Some(next.map_or(at, |next| next.min(at)));
        listed.truncate(limit);
    }
}

fn shown((partition, offset): At) -> String {
    format!("{partition}:{offset}")
}

/// `PARTITION:OFFSET`, or an offset of partition 0.
fn place(text: &str) -> Result<At> {
    let (partition, offset) = text.split_once(':').unwrap_or(("0", text));
    let number = partition.parse().ok().zip(offset.parse().ok());
    number.ok_or_else(|| {
        let what = format!("'{text}' is no place of a dead letter: write PARTITION:OFFSET");
        Error::new(&BAD_REQUEST, what)
    })
}

fn missing(name: &str, at: At) -> Error {
    let what = format!("Connector {name} has no dead letter at {}", shown(at));
    Error::new(&NOT_FOUND, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_wrong_ones_refused() {
        assert_eq!(place("3").unwrap(), (0, 3));
        assert_eq!(place("2:17").unwrap(), (2, 17));
        assert!(place("x").is_err() && place("1:").is_err());
    }
}
