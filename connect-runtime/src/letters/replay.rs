//! Sends letters on their way again.
//!
//! Those of a source go to the topic that they were meant for. Those of a sink go to a topic that this sink alone reads ([`topic_name`]),
//! where they get back the topic, partition and offset that they had: into their own topic they would come to everybody who
//! reads it. Letters of one request keep their order. But a replayed record comes after all that its key has got meanwhile, and what it
//! writes may be older than what is there: who replays one has to know that nothing newer of its key counts.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Encoded, Error, Result, encoded::EncodedRecord};
use connect_log::TopicSpec;
use serde::Serialize;
use serde_json::Value;

use super::{
    At, Filter, Letter, content,
    marks::{Done, Marks, mark},
    shown,
    topic::Letters,
};
use crate::{
    answers::ConnectorKind, dead_letters::headers, error::BAD_REQUEST, kept::topic_name,
    shared::Shared,
};

/// How many letters one request replays, if it does not say.
const LETTERS: usize = 1000;
/// How many at most.
const MOST_LETTERS: usize = 10_000;
/// How many bytes of them.
const MOST_BYTES: usize = 16 << 20;
/// Headers of a replayed record for the sink, which takes them off; the last ones, in this order.
const PLACE: [&str; 3] = [
    "__tidewater.replayed.topic",
    "__tidewater.replayed.partition",
    "__tidewater.replayed.offset",
];
/// The header of a source's record that tells from where it was replayed.
const REPLAYED: &str = "__tidewater.replayed";

/// Which letters, and how.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// Those that fit.
    pub filter: Filter,
    /// Only these, with what is to be different.
    pub letters: Option<Vec<Edit>>,
    /// Those too that were replayed before.
    pub again: bool,
    /// How many at most.
    pub limit: Option<usize>,
    /// Tell what would happen.
    pub dry_run: bool,
}

/// One letter, with what is to be different. Contents are as [`super::Opened`] has them; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Where it is.
    pub at: At,
    /// Another key.
    pub key: Option<Value>,
    /// Another value.
    pub value: Option<Value>,
    /// Other headers, all of them.
    pub headers: Option<Vec<(String, Value)>>,
}

/// What was replayed, or would be.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// How many letters were sent.
    pub replayed: usize,
    /// How many by the topic that they are for.
    pub topics: BTreeMap<String, usize>,
    /// How many fit too but were replayed before.
    pub replayed_before: usize,
    /// How many fit too but are for another request: the limit was reached.
    pub left: usize,
    /// Those that cannot be replayed so, by place, and why; at most 100.
    pub refused: BTreeMap<String, String>,
}

/// The topic of what a sink is to read again.
pub(crate) fn topic_name_of(dead_letters: &str, connector: &str) -> String {
    topic_name(dead_letters, connector, "replay")
}

pub(super) async fn replay(shared: &Arc<Shared>, name: &str, asked: &Replay) -> Result<Replayed> {
    let letters = Letters::of(shared, name).await?;
    // Ends whoever was about to, and only then looks at what is done already.
    let mut writer = match asked.dry_run {
        true => None,
        false => Some(letters.writer().await?),
    };
    let marks = letters.marks().await?;
    let mut choice = Choice::new(&letters, name, asked, &marks)?;
    let each = |letter: Letter, records: &Encoded, record: &EncodedRecord| {
        choice.consider(&letter, records, record);
    };
    letters.each(each).await?;
    choice.missing()?;
    let Choice {
        out,
        taken,
        done,
        to,
        ..
    } = choice;
    let Some(writer) = writer.as_mut().filter(|_| !taken.is_empty()) else {
        return Ok(done);
    };
    if let Some(to) = &to {
        ensure(&letters, to).await?;
    }
    let mut out = out;
    mark(&mut out, letters.topic(), Done::Replayed, &taken);
    let appended = writer.append(&out).await?;
    if let Some((_, error)) = appended.refused.into_iter().next() {
        writer.abort().await?;
        return Err(
            Error::new(&BAD_REQUEST, "the log does not take a letter as it is").caused_by(error),
        );
    }
    writer.commit(None).await?;
    Ok(done)
}

/// Makes the topic that a sink reads besides its own, like that of the letters.
async fn ensure(letters: &Letters, to: &Arc<str>) -> Result<()> {
    let log = &letters.shared().log;
    if log.topic(to).await?.is_some() {
        return Ok(());
    }
    let mut spec = TopicSpec::new(Arc::clone(to), 1);
    spec.replication = letters.replication();
    log.create_topics(&[spec]).await
}

/// What is taken of the letters.
struct Choice<'a> {
    asked: &'a Replay,
    marks: &'a Marks,
    /// By place: key, value, headers.
    edits: BTreeMap<At, &'a Edit>,
    /// Of a sink: the topic that it reads them from.
    to: Option<Arc<str>>,
    limit: usize,
    found: usize,
    out: Encoded,
    taken: Vec<At>,
    done: Replayed,
}

impl<'a> Choice<'a> {
    fn new(letters: &Letters, name: &str, asked: &'a Replay, marks: &'a Marks) -> Result<Self> {
        let edits = asked.letters.iter().flatten();
        for edit in edits.clone() {
            let contents = edit.key.iter().chain(&edit.value);
            let headers = edit.headers.iter().flatten().map(|(_, value)| value);
            contents
                .chain(headers)
                .try_for_each(|given| content::read(given).map(drop))?;
        }
        let is_sink = letters.kind == ConnectorKind::Sink;
        let to = is_sink.then(|| topic_name_of(letters.topic(), name).into());
        Ok(Self {
            asked,
            marks,
            edits: edits.map(|edit| (edit.at, edit)).collect(),
            to,
            limit: asked.limit.unwrap_or(LETTERS).min(MOST_LETTERS),
            found: 0,
            out: Encoded::default(),
            taken: Vec::new(),
            done: Replayed {
                dry_run: asked.dry_run,
                ..Replayed::default()
            },
        })
    }

    fn consider(&mut self, letter: &Letter, records: &Encoded, record: &EncodedRecord) {
        let at = letter.at();
        let edit = self.edits.get(&at).copied();
        let is_named = self.asked.letters.is_none() || edit.is_some();
        if !is_named || self.marks.is_purged(at) {
            return;
        }
        self.found += usize::from(edit.is_some());
        if !self.asked.filter.fits(letter) {
            return;
        }
        if self.marks.is_replayed(at) && !self.asked.again {
            self.done.replayed_before += 1;
        } else if self.taken.len() >= self.limit || self.out.bytes.len() >= MOST_BYTES {
            self.done.left += 1;
        } else {
            let written = self.write(letter, records, record, edit);
            if let Err(why) = written
                && self.done.refused.len() < 100
            {
                self.done.refused.insert(shown(at), why.to_owned());
            }
        }
    }

    fn write(
        &mut self,
        letter: &Letter,
        records: &Encoded,
        record: &EncodedRecord,
        edit: Option<&Edit>,
    ) -> Result<(), &'static str> {
        let Some(topic) = &letter.origin.topic else {
            return Err(
                "the letter does not tell its topic: set errors.deadletterqueue.context.headers.enable=true for those to come",
            );
        };
        let part = |given: Option<&Value>, own: Option<&[u8]>| match given {
            // They were looked at before.
            Some(given) => content::read(given).ok().flatten(),
            None => own.map(<[u8]>::to_vec),
        };
        let (key, value) = (
            edit.and_then(|e| e.key.as_ref()),
            edit.and_then(|e| e.value.as_ref()),
        );
        if !letter.whole && value.is_none() {
            return Err(
                "the letter has not the bytes of the record: send the value with the request",
            );
        }
        let key = part(key, records.key(record));
        let value = part(value, records.value(record));
        let to = self.to.clone().unwrap_or_else(|| topic.as_str().into());
        self.out
            .push(&to, key.as_deref(), value.as_deref(), record.timestamp_ms);
        match edit.and_then(|edit| edit.headers.as_ref()) {
            Some(headers) => {
                for (name, given) in headers {
                    let bytes = content::read(given).ok().flatten();
                    self.out.push_header(name.as_str(), bytes.as_deref());
                }
            }
            None => copy_headers(&mut self.out, records, record),
        }
        self.tell_place(letter, topic);
        self.taken.push(letter.at());
        self.done.replayed += 1;
        *self.done.topics.entry(topic.clone()).or_default() += 1;
        Ok(())
    }

    fn tell_place(&mut self, letter: &Letter, topic: &str) {
        if self.to.is_none() {
            let from = shown(letter.at());
            self.out.push_header(REPLAYED, Some(from.as_bytes()));
            return;
        }
        let partition = letter.origin.partition.unwrap_or(0).to_string();
        let offset = letter.origin.offset.unwrap_or(0).to_string();
        for (name, value) in PLACE.into_iter().zip([topic, &partition, &offset]) {
            self.out.push_header(name, Some(value.as_bytes()));
        }
    }

    /// 400 when a letter is named that is not there.
    fn missing(&self) -> Result<()> {
        if self.found == self.edits.len() {
            return Ok(());
        }
        let what = "A letter that the request names is not there, is another connector's, or is purged: look at the list";
        Err(Error::new(&BAD_REQUEST, what))
    }
}

/// The headers that the record had before it became a letter.
fn copy_headers(out: &mut Encoded, records: &Encoded, record: &EncodedRecord) {
    let all = records.headers(record).iter();
    for header in all.filter(|header| !header.name.starts_with(headers::PREFIX)) {
        let value = header.value.as_ref().map(|range| records.slice(range));
        out.push_header(Arc::clone(&header.name), value);
    }
}

/// Gives replayed records of a sink the topic, partition and offset back that they had, and takes the headers off that tell of them.
pub(crate) fn restore(records: &mut Encoded, topic: &str) {
    for at in 0..records.records.len() {
        let Some(record) = records.records.get(at).filter(|r| &*r.topic == topic) else {
            continue;
        };
        let told = records.headers(record);
        let first = told.len().saturating_sub(PLACE.len());
        let mut values = Vec::new();
        for (header, name) in told.iter().skip(first).zip(PLACE) {
            let value = header.value.as_ref().filter(|_| &*header.name == name);
            values.extend(value.and_then(|range| std::str::from_utf8(records.slice(range)).ok()));
        }
        let [topic, partition, offset] = values.as_slice() else {
            continue;
        };
        let place = (
            Arc::from(*topic),
            partition.parse().ok(),
            offset.parse().unwrap_or(0),
        );
        if let Some(record) = records.records.get_mut(at) {
            (record.topic, record.partition, record.offset) = place;
            record.headers.end -= PLACE.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_record_gets_its_place_back() {
        let topic: Arc<str> = "dead-snk-replay".into();
        let mut records = Encoded::default();
        records.push(&topic, None, Some(b"1"), 7);
        records.push_header("own", Some(b"x"));
        for (name, value) in PLACE.into_iter().zip(["orders", "2", "17"]) {
            records.push_header(name, Some(value.as_bytes()));
        }
        // Somebody else has written this one.
        records.push(&topic, None, Some(b"2"), 7);
        restore(&mut records, &topic);
        let record = &records.records[0];
        assert_eq!(
            (&*record.topic, record.partition, record.offset),
            ("orders", Some(2), 17)
        );
        assert_eq!(records.headers(record).len(), 1);
        assert_eq!(&records.records[1].topic, &topic);
    }
}
