//! A point of the stream, perhaps within a transaction.

/// How far the stream has been read.
///
/// A transaction is sent after its commit, in the order of commits. So the point is: everything that was committed
/// before `commit_lsn`, and of the transaction `tx_id` all changes with an LSN before `lsn`, and `events` changes
/// with exactly `lsn` (several changes can share one record of the WAL).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Everything committed before this LSN has been read.
    pub commit_lsn: u64,
    /// LSN of the last change that was read.
    pub lsn: u64,
    /// How many changes with this LSN have been read.
    pub events: u64,
    /// The transaction that they belong to.
    pub tx_id: Option<u32>,
    /// What the last change was; `None` between two transactions.
    pub last: Option<Operation>,
}

/// What a change does, in the words of Debezium's offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Update,
    Delete,
    Truncate,
    Message,
}

impl Operation {
    const ALL: [(Self, &str); 5] = [
        (Self::Insert, "INSERT"),
        (Self::Update, "UPDATE"),
        (Self::Delete, "DELETE"),
        (Self::Truncate, "TRUNCATE"),
        (Self::Message, "MESSAGE"),
    ];

    /// By its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(operation, _)| *operation)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(known, _)| *known == self);
        found.map_or("", |(_, name)| name)
    }
}

impl Cursor {
    /// Between two transactions.
    pub(crate) fn between(lsn: u64) -> Self {
        Self {
            commit_lsn: lsn,
            lsn,
            ..Self::default()
        }
    }

    /// Whether it is between two transactions.
    pub(crate) fn is_between(&self) -> bool {
        self.lsn == self.commit_lsn && self.events == 0
    }

    /// Behind a message that stands between transactions. Its LSN is the end of its record, unlike that of a change: the
    /// commit of a transaction may begin there, and reading that begins there does not bring the message again.
    pub(crate) fn behind_message(lsn: u64) -> Self {
        Self {
            events: 1,
            last: Some(Operation::Message),
            ..Self::between(lsn)
        }
    }

    /// Forgets which message was the last: no place within a transaction can tell of it.
    pub(crate) fn leave_message(&mut self) {
        if *self == Self::behind_message(self.lsn) {
            *self = Self::between(self.lsn);
        }
    }

    /// Whether a message that stands between transactions has been read.
    pub(crate) fn has_read_message(&self, lsn: u64) -> bool {
        lsn <= self.commit_lsn
    }
}

/// Which changes of a transaction that is sent again have been read already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resume {
    tx_id: u32,
    lsn: u64,
    events: u64,
}

impl Resume {
    /// What must be skipped to go on from a point; `None` when it is between transactions.
    pub(crate) fn from(at: &Cursor) -> Option<Self> {
        let tx_id = at.tx_id?;
        let within = !at.is_between() && at.lsn > 0;
        within.then_some(Self {
            tx_id,
            lsn: at.lsn,
            events: at.events,
        })
    }

    /// Whether it is this transaction.
    pub(crate) fn is_of(&self, xid: u32) -> bool {
        self.tx_id == xid
    }

    /// Whether a change was read before; `nth` counts the changes with this LSN, from 1.
    pub(crate) fn covers(&self, lsn: u64, nth: u64) -> bool {
        lsn < self.lsn || (lsn == self.lsn && nth <= self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_skipped_and_nothing_else() {
        let at = Cursor {
            commit_lsn: 100,
            lsn: 150,
            events: 2,
            tx_id: Some(7),
            last: Some(Operation::Insert),
        };
        let resume = Resume::from(&at).unwrap();
        assert!(resume.is_of(7) && !resume.is_of(8));
        let covered = [(149, 9), (150, 1), (150, 2), (150, 3), (151, 1)]
            .map(|(lsn, nth)| resume.covers(lsn, nth));
        assert_eq!(covered, [true, true, true, false, false]);
        assert!(Resume::from(&Cursor::between(100)).is_none());
    }
}
