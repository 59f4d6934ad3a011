//! MySQL's sets: `uuid:1-3:5,uuid:tag:1`
//! (<https://dev.mysql.com/doc/refman/9.4/en/replication-gtids-concepts.html>).

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, str::FromStr};

use connect_core::{Error, Result};

use crate::{
    binlog::{Gtid, Tag},
    error,
};

/// Whose transactions: the server and the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    uuid: [u8; 16],
    tag: Tag,
}

/// A set of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GtidSet {
    /// The numbers of each source, in order, none touching another.
    sources: BTreeMap<Source, Vec<RangeInclusive<u64>>>,
}

/// Set where sources have tags, in the highest byte of the number of sources.
const TAGGED: u8 = 1;

impl GtidSet {
    /// Whether it has no ids.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Adds an id. One of MariaDB is none of a set of MySQL's.
    pub fn add(&mut self, gtid: &Gtid) {
        if let Gtid::MySql {
            source,
            tag,
            number,
        } = *gtid
        {
            let uuid = source;
            self.insert(Source { uuid, tag }, number..=number);
        }
    }

    /// Whether an id is in it.
    pub fn has(&self, gtid: &Gtid) -> bool {
        let Gtid::MySql {
            source,
            tag,
            number,
        } = *gtid
        else {
            return false;
        };
        let ranges = self.sources.get(&Source { uuid: source, tag });
        ranges.is_some_and(|ranges| ranges.iter().any(|range| range.contains(&number)))
    }

    /// How many ids are in it.
    pub fn count(&self) -> u64 {
        let ranges = self.sources.values().flatten();
        ranges.map(|range| range.end() - range.start() + 1).sum()
    }

    /// Whether all its ids are in another set.
    pub fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }

    /// The ids of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (source, ranges) in &other.sources {
            for range in ranges {
                all.insert(*source, range.clone());
            }
        }
        all
    }

    /// The ids that the other has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Self::default();
        for (source, ranges) in &self.sources {
            let gone = other.sources.get(source).map_or(&[][..], Vec::as_slice);
            for range in ranges {
                for rest in cut(range, gone) {
                    left.insert(*source, rest);
                }
            }
        }
        left
    }

    /// The ids that both have.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// The ids of the servers that pass, by their UUIDs in lower case.
    #[must_use]
    pub fn of_servers(&self, mut passes: impl FnMut(&str) -> bool) -> Self {
        let sources = self.sources.iter();
        let passing = sources.filter(|(source, _)| passes(&uuid_text(&source.uuid)));
        Self {
            sources: passing
                .map(|(source, ranges)| (*source, ranges.clone()))
                .collect(),
        }
    }

    /// As the command for the binlog wants it. With tags it is another form, which servers before 8.3 do not know.
    pub fn encoded(&self) -> Vec<u8> {
        let tagged = self
            .sources
            .keys()
            .any(|source| !source.tag.text().is_empty());
        let mut out = (self.sources.len() as u64).to_le_bytes();
        if tagged {
            // The number of sources is between two bytes that say so (`Gtid_set::encode`).
            let [a, b, c, d, e, f, ..] = out;
            out = [TAGGED, a, b, c, d, e, f, TAGGED];
        }
        let mut out = out.to_vec();
        for (source, ranges) in &self.sources {
            out.extend_from_slice(&source.uuid);
            if tagged {
                let tag = source.tag.text();
                // A length of one byte, in the form of `mysql::serialization`.
                out.push((tag.len() as u8) << 1);
                out.extend_from_slice(tag.as_bytes());
            }
            out.extend_from_slice(&(ranges.len() as u64).to_le_bytes());
            for range in ranges {
                out.extend_from_slice(&range.start().to_le_bytes());
                // Behind the last.
                out.extend_from_slice(&(range.end() + 1).to_le_bytes());
            }
        }
        out
    }

    fn insert(&mut self, source: Source, range: RangeInclusive<u64>) {
        let ranges = self.sources.entry(source).or_default();
        // Nearly always the next number of the last range.
        if let Some(last) = ranges.last_mut()
            && last.contains(&range.start().saturating_sub(1))
        {
            *last = *last.start()..=(*last.end()).max(*range.end());
            return;
        }
        ranges.push(range);
        ranges.sort_by_key(|range| *range.start());
        let mut joined: Vec<RangeInclusive<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges.drain(..) {
            match joined.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=(*last.end()).max(*range.end());
                }
                _ => joined.push(range),
            }
        }
        *ranges = joined;
    }
}

/// What is left of a range without others, which are in order.
fn cut(range: &RangeInclusive<u64>, gone: &[RangeInclusive<u64>]) -> Vec<RangeInclusive<u64>> {
    let (mut left, mut start) = (Vec::new(), *range.start());
    for hole in gone {
        if hole.end() < &start || hole.start() > range.end() {
            continue;
        }
        if hole.start() > &start {
            left.push(start..=hole.start() - 1);
        }
        start = hole.end() + 1;
    }
    if start <= *range.end() {
        left.push(start..=*range.end());
    }
    left
}

pub(crate) fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut of: Option<[u8; 16]> = None;
        for (source, ranges) in &self.sources {
            if of != Some(source.uuid) {
                let comma = if of.is_some() { "," } else { "" };
                write!(f, "{comma}{}", uuid_text(&source.uuid))?;
            }
            of = Some(source.uuid);
            if !source.tag.text().is_empty() {
                write!(f, ":{}", source.tag.text())?;
            }
            for range in ranges {
                match (range.start(), range.end()) {
                    (start, end) if start == end => write!(f, ":{start}")?,
                    (start, end) => write!(f, ":{start}-{end}")?,
                }
            }
        }
        Ok(())
    }
}

impl FromStr for GtidSet {
    type Err = Error;

    /// Blanks and line ends are allowed anywhere, as the server writes them.
    fn from_str(text: &str) -> Result<Self> {
        let mut set = Self::default();
        let text: String = text.split_whitespace().collect();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let mut pieces = part.split(':');
            let uuid = pieces.next().and_then(uuid_of);
            let uuid = uuid.ok_or_else(|| malformed(part))?;
            let mut source = Source {
                uuid,
                tag: Tag::default(),
            };
            for piece in pieces {
                match range_of(piece) {
                    Some(range) => set.insert(source, range),
                    None => {
                        let tag = piece.to_ascii_lowercase();
                        let starts = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                        let tag = Tag::new(tag.as_bytes()).filter(|_| starts);
                        source.tag = tag.ok_or_else(|| malformed(part))?;
                    }
                }
            }
        }
        Ok(set)
    }
}

fn malformed(part: &str) -> Error {
    Error::new(&error::OFFSET, "a set of GTIDs cannot be read").context("part", part)
}

fn uuid_of(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b'-')
        .map(|byte| char::from(byte).to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let mut uuid = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(uuid)
}

fn range_of(text: &str) -> Option<RangeInclusive<u64>> {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|n| (1..u64::MAX >> 1).contains(n));
    let range = number(start)?..=number(end)?;
    (!range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> GtidSet {
        text.parse().unwrap()
    }

    #[test]
    fn texts_of_the_server_are_understood_and_come_back() {
        let text = format!("{A}:1-3:5:shop:1-2:9,{B}:7");
        assert_eq!(set(&text).to_string(), text);
        let messy = format!("{}:5:1-2:3\n, {B}:7,\n", A.to_uppercase());
        assert_eq!(set(&messy).to_string(), format!("{A}:1-3:5,{B}:7"));
        assert!(set("").is_empty());
        for wrong in [
            "x",
            "3e11:1",
            &format!("{A}:0"),
            &format!("{A}:3-1"),
            &format!("{A}:9x:1"),
        ] {
            assert!(wrong.parse::<GtidSet>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sets_are_reckoned_with() {
        let (one, other) = (
            set(&format!("{A}:1-10:20,{B}:1")),
            set(&format!("{A}:5-6:20-30")),
        );
        assert_eq!(
            one.without(&other).to_string(),
            format!("{A}:1-4:7-10,{B}:1")
        );
        assert_eq!(one.common(&other).to_string(), format!("{A}:5-6:20"));
        assert_eq!(
            one.with(&other).to_string(),
            format!("{A}:1-10:20-30,{B}:1")
        );
        assert_eq!((one.count(), set("").count()), (12, 0));
        assert!(one.common(&other).is_within(&one) && !other.is_within(&one));
        assert_eq!(
            one.of_servers(|uuid| uuid == B).to_string(),
            format!("{B}:1")
        );
    }

    #[test]
    fn encodings_are_those_of_the_server() {
        let mut plain = 1u64.to_le_bytes().to_vec();
        plain.extend_from_slice(&uuid_of(A).unwrap());
        for number in [1u64, 3, 6] {
            plain.extend_from_slice(&number.to_le_bytes());
        }
        plain[24] = 1;
        assert_eq!(set(&format!("{A}:3-5")).encoded(), plain);
        let tagged = set(&format!("{A}:t:1")).encoded();
        assert_eq!(tagged[..8], [1, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(tagged[24..26], [2, b't']);
    }

    proptest! {
        #[test]
        fn a_set_has_what_was_added_and_nothing_else(numbers in vec(1u64..60, 0..40), gone in vec(1u64..60, 0..20)) {
            let uuid = uuid_of(A).unwrap();
            let gtid = |number: u64| Gtid::MySql { source: uuid, tag: Tag::default(), number };
            let of = |numbers: &[u64]| {
                let mut set = GtidSet::default();
                numbers.iter().for_each(|number| set.add(&gtid(*number)));
                set
            };
            let (all, left) = (of(&numbers), of(&numbers).without(&of(&gone)));
            for number in 1..60 {
                let is_in = numbers.contains(&number);
                prop_assert_eq!(all.has(&gtid(number)), is_in);
                prop_assert_eq!(left.has(&gtid(number)), is_in && !gone.contains(&number));
            }
            prop_assert_eq!(set(&all.to_string()), all);
        }
    }
}
