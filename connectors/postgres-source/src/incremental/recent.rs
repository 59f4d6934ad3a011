//! The transactions that the stream has brought last.

use crate::seen::Seen;

/// So many transactions are remembered: more than can be committed in the log and yet be invisible to others, since each of these
/// still holds a connection.
const REMEMBERED: usize = 1024;

/// Their ids.
#[derive(Debug)]
pub(crate) struct Recent {
    ids: Box<[u32]>,
    next: usize,
}

impl Recent {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            ids: vec![0; REMEMBERED].into(),
            next: 0,
        }
    }

    /// A transaction has come.
    #[inline]
    pub(crate) fn push(&mut self, xid: u32) {
        if let Some(slot) = self.ids.get_mut(self.next) {
            *slot = xid;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Whether all of them are visible in a snapshot.
    pub(crate) fn are_seen(&self, seen: &Seen) -> bool {
        self.ids.iter().all(|xid| *xid == 0 || seen.sees(*xid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut recent = Recent::new();
        let seen = |text: &str| text.parse::<Seen>().unwrap();
        assert!(recent.are_seen(&seen("3:3:")));
        (10..20).for_each(|xid| recent.push(xid));
        assert!(recent.are_seen(&seen("20:20:")));
        assert!(!recent.are_seen(&seen("15:20:15")));
        assert!(!recent.are_seen(&seen("19:19:")));
        (0..2000).for_each(|_| recent.push(7));
        assert!(recent.are_seen(&seen("15:20:15")));
    }
}
