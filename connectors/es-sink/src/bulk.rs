//! What is to be done to which document, and the bulk requests that say so.

use std::ops::Range;

use connect_core::json::{write_integer, write_string};

use crate::{
    config::{EsConfig, VersionSource},
    index::IndexId,
};

/// All that a batch asks for, in order, with its bytes in one arena. Cleared and reused.
#[derive(Default)]
pub(crate) struct Ops {
    /// Ids and documents, end to end.
    pub(crate) arena: Vec<u8>,
    /// The operations.
    pub(crate) list: Vec<Op>,
    /// Names of fields that keep what they hold.
    pub(crate) kept: Vec<String>,
}

/// One operation on one document.
#[derive(Debug)]
pub(crate) struct Op {
    /// The record it came from, by its index in the batch.
    pub(crate) record: usize,
    /// Its index.
    pub(crate) index: IndexId,
    /// Its id, in the arena.
    pub(crate) id: Range<usize>,
    /// The version it gets; `None` leaves it to the server.
    pub(crate) version: Option<i64>,
    /// What is done.
    pub(crate) what: What,
}

/// What is done to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It becomes this.
    Put(Range<usize>),
    /// It becomes this, unless it exists.
    Create(Range<usize>),
    /// It goes.
    Delete,
    /// It becomes this and some of what it was; see [`crate::merge`].
    Merge(Range<usize>, Keep),
    /// Nothing: the document is newer already.
    Nothing,
}

/// What stays of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All fields that the new one does not have.
    All,
    /// These of [`Ops::kept`].
    These(Range<usize>),
}

/// Operations that go in one request, by their places in [`Ops::list`].
pub(crate) type Bulk = Vec<usize>;

/// How much memory a cleared arena keeps for the next round.
const KEEP_BYTES: usize = 8 << 20;
/// An action line without index and id.
const LINE: usize = 96;

impl Ops {
    /// Forgets all; keeps the memory of an ordinary batch.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.arena.shrink_to(KEEP_BYTES);
        self.list.clear();
        self.kept.clear();
    }

    /// Bytes of the arena.
    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.arena.get(range.clone()).unwrap_or(&[])
    }

    /// Cuts the operations into requests of at most so many operations and (but for a single larger one) bytes.
    pub(crate) fn bulks(&self, config: &EsConfig) -> Vec<Bulk> {
        let (most, limit) = (config.batch_size.0 as usize, config.request_bytes());
        let mut bulks = Vec::new();
        let (mut bulk, mut bytes) = (Bulk::new(), 0);
        for (at, op) in self.list.iter().enumerate() {
            if op.what == What::Nothing {
                continue;
            }
            let size = LINE + op.id.len() + op.document().len();
            if !bulk.is_empty() && (bulk.len() >= most || bytes + size > limit) {
                bulks.push(std::mem::take(&mut bulk));
                bytes = 0;
            }
            bulk.push(at);
            bytes += size;
        }
        if !bulk.is_empty() {
            bulks.push(bulk);
        }
        bulks
    }

    /// The body of a request. `names` are the indices' names as JSON.
    pub(crate) fn body(&self, bulk: &[usize], names: &[Vec<u8>], source: VersionSource) -> Vec<u8> {
        let ops = || bulk.iter().filter_map(|at| self.list.get(*at));
        let size = ops().map(|op| 2 * LINE + op.id.len() + op.document().len());
        let mut body = Vec::with_capacity(size.sum());
        for op in ops() {
            self.write_action(op, names, source, &mut body);
            let document = op.document();
            if !document.is_empty() {
                body.extend_from_slice(self.bytes(&document));
                body.push(b'\n');
            }
        }
        body
    }

    fn write_action(&self, op: &Op, names: &[Vec<u8>], source: VersionSource, body: &mut Vec<u8>) {
        body.extend_from_slice(match op.what {
            What::Delete => b"{\"delete\":{\"_index\":".as_slice(),
            What::Create(_) => b"{\"create\":{\"_index\":",
            _ => b"{\"index\":{\"_index\":",
        });
        body.extend_from_slice(names.get(op.index.at()).map_or(b"\"\"", Vec::as_slice));
        body.extend_from_slice(b",\"_id\":");
        write_string(self.bytes(&op.id), body);
        if let (Some(version), false) = (op.version, matches!(op.what, What::Create(_))) {
            body.extend_from_slice(b",\"version\":");
            write_integer(version, body);
            // Invariant 6: what comes again or late loses.
            body.extend_from_slice(match source {
                VersionSource::Lsn => b",\"version_type\":\"external_gte\"".as_slice(),
                _ => b",\"version_type\":\"external\"",
            });
        }
        body.extend_from_slice(b"}}\n");
    }
}

impl Op {
    fn document(&self) -> Range<usize> {
        match &self.what {
            What::Put(range) | What::Create(range) => range.clone(),
            What::Merge(..) | What::Delete | What::Nothing => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use connect_core::{Config, Properties};

    use super::*;

    fn ops(documents: usize) -> Ops {
        let mut ops = Ops::default();
        for record in 0..documents {
            ops.arena.extend_from_slice(b"a\"{\"x\":1}");
            let at = ops.arena.len() - 9;
            ops.list.push(Op {
                record,
                index: IndexId::default(),
                id: at..at + 2,
                version: Some(7),
                what: What::Put(at + 2..at + 9),
            });
        }
        ops
    }

    fn config(pairs: &[(&str, &str)]) -> EsConfig {
        let mut given = Properties::from([("connection.url".into(), "http://h".into())]);
        given.extend(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        EsConfig::parse(&given).unwrap()
    }

    #[test]
    fn bodies_are_lines_of_json() {
        let mut ops = ops(2);
        ops.list[1].what = What::Delete;
        let body = ops.body(&[0, 1], &[b"\"i\"".to_vec()], VersionSource::Offset);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "{\"index\":{\"_index\":\"i\",\"_id\":\"a\\\"\",\"version\":7,\"version_type\":\"external\"}}\n\
             {\"x\":1}\n\
             {\"delete\":{\"_index\":\"i\",\"_id\":\"a\\\"\",\"version\":7,\"version_type\":\"external\"}}\n"
        );
    }

    #[test]
    fn requests_are_cut_by_count_and_bytes() {
        let sizes = |pairs: &[(&str, &str)]| -> Vec<usize> {
            ops(10).bulks(&config(pairs)).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(&[("batch.size", "4")]), [4, 4, 2]);
        assert_eq!(sizes(&[("bulk.size.bytes", "1")]), [1; 10]);
        assert_eq!(sizes(&[("bulk.size.bytes", "-1")]), [10]);
    }
}
