//! Rows with absent fields as whole documents: the missing fields come from the document as it is.
//!
//! Invariants 3 and 6. The servers' own partial update takes no external version, so late and repeated updates would
//! win. Instead the document is read with its version, completed, and written whole with the record's version. Why this
//! converges:
//!
//! * A document at version `v` is `S(v)`: the record of version `v`, completed from `S(u)`, where `u` is the version
//!   that was read. Records of one document come in order, and all writes of earlier batches are answered before a
//!   batch reads, so `u` is the record just before `v` (or a later one; see next). Records ahead in the same batch are
//!   not read but taken from memory.
//! * If the document read is as new as the record or newer, the record comes again: it is left out.
//! * Whoever reads, and writes late, writes with version `v`, and loses to any newer document.
//! * A deleted document has no version to read once the server has forgotten it (`index.gc_deletes`). Then a replay
//!   makes it again, from what the suffix has, until the suffix comes to its delete, which it must contain.

use std::ops::Range;

use connect_core::{Error, Result, json::write_string};
use reqwest::Method;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    bulk::{Keep, Ops, What},
    client::{Body, Client},
    error::{Answer, PROTOCOL, classify},
    index::{IndexId, Indices},
    outcome::words,
};

/// A document before the next operation on it.
enum Base {
    /// None.
    Missing,
    /// As the server has it.
    Read(i64, Map<String, Value>),
    /// As an operation of this batch leaves it.
    Made(Range<usize>),
}

type Bases = FxHashMap<(IndexId, Vec<u8>), Base>;

/// Documents in one request for reading.
const READ_AT_ONCE: usize = 500;

#[derive(Deserialize)]
struct Found {
    docs: Vec<Doc>,
}

#[derive(Deserialize)]
struct Doc {
    #[serde(default)]
    found: bool,
    #[serde(rename = "_version", default)]
    version: i64,
    #[serde(rename = "_source")]
    source: Option<Map<String, Value>>,
    error: Option<Value>,
}

/// Turns every merge into a put of the whole document, or into nothing when the document is newer already.
/// Gives how many came to nothing.
pub(crate) async fn resolve(
    ops: &mut Ops,
    gte: bool,
    client: &Client,
    indices: &Indices,
) -> Result<i64> {
    let mut bases = Bases::default();
    let to_read = to_read(ops, &mut bases);
    if bases.is_empty() {
        return Ok(0);
    }
    for some in to_read.chunks(READ_AT_ONCE) {
        read(some, client, indices, &mut bases).await?;
    }
    let mut stale = 0;
    for at in 0..ops.list.len() {
        stale += i64::from(!step(at, gte, ops, &mut bases)?);
    }
    Ok(stale)
}

/// The documents that have a merge get a base; those whose first operation is one are to be read.
fn to_read(ops: &Ops, bases: &mut Bases) -> Vec<(IndexId, Vec<u8>)> {
    if !ops.list.iter().any(|op| matches!(op.what, What::Merge(..))) {
        return Vec::new();
    }
    let mut to_read = Vec::new();
    let mut written: FxHashMap<(IndexId, &[u8]), ()> = FxHashMap::default();
    for op in &ops.list {
        let id = ops.bytes(&op.id);
        if !matches!(op.what, What::Merge(..)) {
            written.insert((op.index, id), ());
            continue;
        }
        let known = bases
            .insert((op.index, id.to_vec()), Base::Missing)
            .is_some();
        if !known && !written.contains_key(&(op.index, id)) {
            to_read.push((op.index, id.to_vec()));
        }
    }
    to_read
}

async fn read(
    some: &[(IndexId, Vec<u8>)],
    client: &Client,
    indices: &Indices,
    bases: &mut Bases,
) -> Result<()> {
    let docs: Vec<Value> = some
        .iter()
        .map(|(index, id)| json!({"_index": indices.name(*index), "_id": String::from_utf8_lossy(id)}))
        .collect();
    let body = json!({ "docs": docs }).to_string().into_bytes();
    let query = "filter_path=docs.found,docs._version,docs._source,docs.error";
    let answer = client
        .call(Method::POST, &["_mget"], query, Body::Json, body)
        .await?;
    let found: Found = serde_json::from_slice(&answer)
        .map_err(|err| Error::new(&PROTOCOL, "documents cannot be read").caused_by(err))?;
    if found.docs.len() != some.len() {
        return Err(Error::new(&PROTOCOL, "not all documents were answered"));
    }
    for (key, doc) in some.iter().zip(found.docs) {
        bases.insert(key.clone(), base(doc)?);
    }
    Ok(())
}

fn base(doc: Doc) -> Result<Base> {
    if let Some(error) = doc.error {
        let (kind, reason) = words(&error);
        if kind == "index_not_found_exception" {
            return Ok(Base::Missing);
        }
        return Err(classify(&Answer {
            status: 503,
            kind,
            reason,
        }));
    }
    match (doc.found, doc.source) {
        (true, Some(source)) => Ok(Base::Read(doc.version, source)),
        (true, None) => Err(Error::new(
            &PROTOCOL,
            "the index does not keep _source, so fields that the source did not send cannot be kept",
        )),
        (false, _) => Ok(Base::Missing),
    }
}

/// Takes one operation into account; false when it comes to nothing.
fn step(at: usize, gte: bool, ops: &mut Ops, bases: &mut Bases) -> Result<bool> {
    let Ops { arena, list, kept } = ops;
    let Some(op) = list.get_mut(at) else {
        return Ok(true);
    };
    let key = (op.index, arena.get(op.id.clone()).unwrap_or(&[]).to_vec());
    let Some(base) = bases.get_mut(&key) else {
        return Ok(true);
    };
    if let (Base::Read(have, _), Some(version)) = (&*base, op.version)
        && (*have > version || (!gte && *have == version))
    {
        op.what = What::Nothing;
        return Ok(false);
    }
    match &op.what {
        What::Put(document) | What::Create(document) => *base = Base::Made(document.clone()),
        What::Delete => *base = Base::Missing,
        What::Merge(document, keep) => {
            let names = match keep {
                Keep::All => None,
                Keep::These(range) => Some(kept.get(range.clone()).unwrap_or(&[])),
            };
            let whole = complete(document, names, base, arena)?;
            *base = Base::Made(whole.clone());
            op.what = What::Put(whole);
        }
        What::Nothing => {}
    }
    Ok(true)
}

/// Appends the document with what it keeps of its base: these fields, or all that it does not have.
fn complete(
    document: &Range<usize>,
    names: Option<&[String]>,
    base: &Base,
    arena: &mut Vec<u8>,
) -> Result<Range<usize>> {
    let made;
    let old = match base {
        Base::Missing => return Ok(document.clone()),
        Base::Read(_, source) => source,
        Base::Made(range) => {
            made = parse(arena, range)?;
            &made
        }
    };
    let new = match names {
        None => Some(parse(arena, document)?),
        Some(_) => None,
    };
    let keeps = |name: &String| match (names, &new) {
        (Some(names), _) => names.contains(name),
        (None, Some(new)) => !new.contains_key(name),
        (None, None) => false,
    };
    let from = arena.len();
    arena.extend_from_within(document.clone());
    arena.pop();
    for (name, value) in old.iter().filter(|(name, _)| keeps(name)) {
        if arena.len() > from + 1 {
            arena.push(b',');
        }
        write_string(name.as_bytes(), arena);
        arena.push(b':');
        arena.extend_from_slice(value.to_string().as_bytes());
    }
    arena.push(b'}');
    Ok(from..arena.len())
}

fn parse(arena: &[u8], range: &Range<usize>) -> Result<Map<String, Value>> {
    serde_json::from_slice(arena.get(range.clone()).unwrap_or(&[]))
        .map_err(|err| Error::new(&PROTOCOL, "a document of ours is not JSON").caused_by(err))
}

#[cfg(test)]
mod tests;
