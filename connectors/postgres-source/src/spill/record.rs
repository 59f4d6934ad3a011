//! What a record of the spill is, as its key says.

use std::fmt;

use crate::position::{parse_lsn, show_lsn};

/// What stands in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: a connection began, with everything that was committed since an LSN.
    Session(u64),
    /// Nothing: everything that was committed before an LSN stands before this.
    Mark(u64),
    /// Relations that were announced before the mark.
    Known,
    /// Messages of the server.
    Bytes,
}

impl Kind {
    /// Reads a key.
    pub(super) fn parse(key: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(key).ok()?;
        Some(match text.split_once(' ') {
            Some(("session", lsn)) => Self::Session(parse_lsn(lsn)?),
            Some(("mark", lsn)) => Self::Mark(parse_lsn(lsn)?),
            None if text == "known" => Self::Known,
            None if text == "bytes" => Self::Bytes,
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(lsn) => write!(f, "session {}", show_lsn(*lsn)),
            Self::Mark(lsn) => write!(f, "mark {}", show_lsn(*lsn)),
            Self::Known => f.write_str("known"),
            Self::Bytes => f.write_str("bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back() {
        let all = [
            Kind::Session(0x16_0000_0028),
            Kind::Mark(40),
            Kind::Known,
            Kind::Bytes,
        ];
        for kind in all {
            assert_eq!(Kind::parse(kind.to_string().as_bytes()), Some(kind));
        }
        for broken in ["", "byte", "mark", "mark x", "session 1", "known 1/2"] {
            assert_eq!(Kind::parse(broken.as_bytes()), None, "{broken}");
        }
    }
}
