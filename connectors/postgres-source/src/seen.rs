//! Which transactions a snapshot has seen, for the transaction ids of the stream.

use std::{fmt, str::FromStr};

/// A snapshot's transactions, in the server's own words: `xmin:xmax:xip,xip,…` with 64-bit ids
/// (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT>).
///
/// Every transaction below `xmax` had ended, except those in the list. Subtransactions are not in it: they are seen
/// with the transaction that they belong to, whose id is the one in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    xmin: u64,
    xmax: u64,
    /// In ascending order.
    running: Box<[u64]>,
}

impl Seen {
    /// Whether the changes of a committed transaction were visible.
    ///
    /// The stream has the low 32 bits of ids. The server lets no two ids be in use that are 2^31 apart, so that the
    /// whole id is the one that lies nearest to `xmax`.
    pub(crate) fn sees(&self, xid: u32) -> bool {
        // The low half of `xmax` is meant.
        let distance = xid.wrapping_sub(self.xmax as u32).cast_signed();
        let id = self.xmax.wrapping_add_signed(i64::from(distance));
        distance < 0 && self.running.binary_search(&id).is_err()
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(());
        let number = |text: &str| text.parse().map_err(|_| ());
        let (xmin, xmax, list) = (number(part()?)?, number(part()?)?, part()?);
        let ids = list.split(',').filter(|id| !id.is_empty());
        let mut running = ids.map(number).collect::<Result<Vec<u64>, ()>>()?;
        running.sort_unstable();
        Ok(Self {
            xmin,
            xmax,
            running: running.into(),
        })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.xmin, self.xmax)?;
        for (at, id) in self.running.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        text.parse().unwrap()
    }

    #[test]
    fn ended_transactions_are_seen_and_running_ones_are_not() {
        let seen = seen("10:20:10,14,15");
        let visible: Vec<u32> = (8..23).filter(|xid| seen.sees(*xid)).collect();
        assert_eq!(visible, [8, 9, 11, 12, 13, 16, 17, 18, 19]);
        assert!(super::Seen::from_str("20:20:").unwrap().sees(19));
    }

    #[test]
    fn ids_are_compared_across_the_wraparound() {
        let epoch = 7u64 << 32;
        let text = format!("{}:{}:{},{}", epoch - 3, epoch + 5, epoch - 3, epoch + 4);
        let seen = seen(&text);
        let sees = |xid: u32| seen.sees(xid);
        // Before the wraparound: -3 runs, -2 has ended.
        assert_eq!([sees(u32::MAX - 2), sees(u32::MAX - 1)], [false, true]);
        // After it: 3 has ended, 4 runs, 5 has yet to begin.
        assert_eq!([sees(3), sees(4), sees(5)], [true, false, false]);
        assert!(sees(5u32.wrapping_add(1 << 31)), "the oldest");
        assert!(!sees(5 + ((1 << 31) - 1)), "the newest");
        assert_eq!(seen.to_string(), text);
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for text in [
            "",
            "1",
            "1:2",
            "a:2:",
            "1:2:x",
            "1:2:3,-4",
            "1:99999999999999999999999:",
        ] {
            assert!(Seen::from_str(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_read_or_refused(text: String, xid: u32) {
            if let Ok(seen) = text.parse::<Seen>() {
                seen.sees(xid);
            }
        }

        #[test]
        fn texts_come_back(xmin: u64, xmax: u64, mut running: Vec<u64>, xid: u32) {
            running.sort_unstable();
            let seen = Seen { xmin, xmax, running: running.into() };
            seen.sees(xid);
            proptest::prop_assert_eq!(seen.to_string().parse::<Seen>().unwrap(), seen);
        }
    }
}
