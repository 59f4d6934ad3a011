//! Sets of transaction ids, as both servers write them.

mod mariadb;
mod mysql;

use std::{fmt, str::FromStr};

use connect_core::{Error, Result};

use crate::binlog::Gtid;

pub use mariadb::MariaDbGtids;
pub use mysql::GtidSet;
pub(crate) use mysql::uuid_text;

/// Which transactions have been read, in the terms of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gtids {
    /// MySQL: a set.
    MySql(GtidSet),
    /// MariaDB: the last of each domain.
    MariaDb(MariaDbGtids),
}

impl Gtids {
    /// With the first id that was seen.
    pub fn of(gtid: &Gtid) -> Self {
        let mut gtids = match gtid {
            Gtid::MySql { .. } => Self::MySql(GtidSet::default()),
            Gtid::MariaDb(_) => Self::MariaDb(MariaDbGtids::default()),
        };
        gtids.add(gtid);
        gtids
    }

    /// Whether another has just come as far: has all of a set, or the same last ones.
    pub fn is_reached_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => set.is_within(other),
            (Self::MariaDb(last), Self::MariaDb(other)) => last.is_part_of(other),
            _ => false,
        }
    }

    /// Whether an id is in there, or lies before it.
    pub fn has(&self, gtid: &Gtid) -> bool {
        match (self, gtid) {
            (Self::MySql(set), gtid) => set.has(gtid),
            (Self::MariaDb(last), Gtid::MariaDb(gtid)) => last.has(gtid),
            (Self::MariaDb(_), Gtid::MySql { .. }) => false,
        }
    }

    /// Whether another has all of it.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => set.is_within(other),
            (Self::MariaDb(last), Self::MariaDb(other)) => last.is_within(other),
            _ => false,
        }
    }

    /// How many transactions another lacks of it; of MariaDB at most so many.
    pub fn count_since(&self, other: &Self) -> u64 {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => set.without(other).count(),
            (Self::MariaDb(last), Self::MariaDb(other)) => last.count_since(other),
            _ => 0,
        }
    }

    /// Goes on to an id. One of the other server is none of it.
    pub fn add(&mut self, gtid: &Gtid) {
        match (self, gtid) {
            (Self::MySql(set), gtid) => set.add(gtid),
            (Self::MariaDb(last), Gtid::MariaDb(gtid)) => last.add(*gtid),
            (Self::MariaDb(_), Gtid::MySql { .. }) => {}
        }
    }
}

impl fmt::Display for Gtids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(set) => set.fmt(f),
            Self::MariaDb(last) => last.fmt(f),
        }
    }
}

impl FromStr for Gtids {
    type Err = Error;

    /// Only MySQL's ids have colons.
    fn from_str(text: &str) -> Result<Self> {
        match text.contains(':') {
            true => text.parse().map(Self::MySql),
            false => text.parse().map(Self::MariaDb),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binlog::MariaDbGtid;

    #[test]
    fn texts_of_both_servers_come_back() {
        for text in [
            "24bc7850-2c16-11e6-a073-0242ac110002:1-77:80",
            "24bc7850-2c16-11e6-a073-0242ac110002:1-3:shop:1",
            "0-1-100,1-2-7",
        ] {
            assert_eq!(text.parse::<Gtids>().unwrap().to_string(), text);
        }
        assert!("0-1".parse::<Gtids>().is_err() && "x:1".parse::<Gtids>().is_err());
    }

    #[test]
    fn ids_are_added_to_those_of_their_server() {
        let id = |number| {
            Gtid::MariaDb(MariaDbGtid {
                domain: 0,
                server: 1,
                number,
            })
        };
        let mut gtids = Gtids::of(&id(7));
        gtids.add(&id(8));
        assert_eq!(gtids.to_string(), "0-1-8");
        let mut other: Gtids = "24bc7850-2c16-11e6-a073-0242ac110002:1".parse().unwrap();
        let before = other.clone();
        other.add(&id(9));
        assert_eq!(other, before);
    }
}
