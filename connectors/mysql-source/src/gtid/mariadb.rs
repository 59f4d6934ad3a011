//! MariaDB's positions: the last id of each domain, `0-1-100,1-2-7`
//! (<https://mariadb.com/kb/en/gtid/>).

use std::{collections::BTreeMap, fmt, str::FromStr};

use connect_core::{Error, Result};

use crate::{binlog::MariaDbGtid, error};

/// Behind which transaction of each domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MariaDbGtids {
    domains: BTreeMap<u32, MariaDbGtid>,
}

impl MariaDbGtids {
    /// Whether it has no domains.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Goes on to an id: it is the last of its domain.
    pub fn add(&mut self, gtid: MariaDbGtid) {
        self.domains.insert(gtid.domain, gtid);
    }

    /// Whether an id lies before it, or is its last.
    pub fn has(&self, gtid: &MariaDbGtid) -> bool {
        let last = self.domains.get(&gtid.domain);
        last.is_some_and(|last| gtid.number <= last.number)
    }

    /// Leaves out an id, if it is a last one.
    pub fn remove(&mut self, gtid: &MariaDbGtid) {
        self.domains.retain(|_, last| last != gtid);
    }

    /// Those last ids that are not another's.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        other.domains.values().for_each(|gtid| left.remove(gtid));
        left
    }

    /// Whether another has come as far in each of its domains.
    pub fn is_within(&self, other: &Self) -> bool {
        self.domains.values().all(|gtid| other.has(gtid))
    }

    /// How many ids lie between another and this one, at most: numbers may have gaps.
    pub fn count_since(&self, other: &Self) -> u64 {
        let since = |domain| other.domains.get(domain).map_or(0, |gtid| gtid.number);
        let counts = self.domains.iter();
        counts
            .map(|(domain, gtid)| gtid.number.saturating_sub(since(domain)))
            .sum()
    }

    /// Whether another has the same last ids in each of its domains. Numbers need not grow.
    pub fn is_part_of(&self, other: &Self) -> bool {
        let is_same = |(domain, gtid)| other.domains.get(domain) == Some(gtid);
        self.domains.iter().all(is_same)
    }

    /// The domains that pass, by their numbers as text.
    #[must_use]
    pub fn of_domains(&self, mut passes: impl FnMut(&str) -> bool) -> Self {
        let domains = self.domains.iter();
        let passing = domains.filter(|(domain, _)| passes(&domain.to_string()));
        Self {
            domains: passing.map(|(domain, gtid)| (*domain, *gtid)).collect(),
        }
    }
}

impl fmt::Display for MariaDbGtids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, gtid) in self.domains.values().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{gtid}")?;
        }
        Ok(())
    }
}

impl FromStr for MariaDbGtids {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut gtids = Self::default();
        let text: String = text.split_whitespace().collect();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let malformed =
                || Error::new(&error::OFFSET, "a GTID cannot be read").context("part", part);
            gtids.add(gtid_of(part).ok_or_else(malformed)?);
        }
        Ok(gtids)
    }
}

fn gtid_of(text: &str) -> Option<MariaDbGtid> {
    let mut parts = text.splitn(3, '-');
    Some(MariaDbGtid {
        domain: parts.next()?.parse().ok()?,
        server: parts.next()?.parse().ok()?,
        number: parts.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> MariaDbGtids {
        text.parse().unwrap()
    }

    #[test]
    fn positions_are_read_written_and_compared() {
        let position = at("1-2-7, 0-1-100");
        assert_eq!(position.to_string(), "0-1-100,1-2-7");
        assert!(at("0-5-100").is_within(&position) && !at("0-1-101").is_within(&position));
        assert!(!at("2-1-1").is_within(&position) && at("").is_within(&position));
        assert_eq!(
            position.of_domains(|domain| domain == "1").to_string(),
            "1-2-7"
        );
        let left = position.without(&at("0-1-100,1-3-7"));
        assert_eq!(
            left.to_string(),
            "1-2-7",
            "of another server it is another one"
        );
        assert_eq!(position.count_since(&at("0-1-90")), 17);
        for wrong in ["1", "1-2", "1-2-x", "-1-2-3"] {
            assert!(wrong.parse::<MariaDbGtids>().is_err(), "{wrong}");
        }
    }
}
