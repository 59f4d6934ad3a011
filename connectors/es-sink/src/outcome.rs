//! What the server says of each operation.

use connect_core::{Error, Result, Verdict};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Answer, PROTOCOL, classify};

/// What came of one operation.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// The document is newer already, which is as good.
    Stale,
    /// Not now.
    Again(Error),
    /// Never.
    Refused(Error),
    /// Nothing will go on like this.
    Fatal(Error),
}

#[derive(Deserialize)]
struct Bulk {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Item {
    Index(Status),
    Create(Status),
    Delete(Status),
    Update(Status),
}

#[derive(Deserialize)]
struct Status {
    status: u16,
    error: Option<Value>,
}

/// The part of the answer that we read.
pub(crate) const FILTER: &str = "filter_path=items.*.status,items.*.error";

/// Reads the answer to a bulk of `count` operations.
pub(crate) fn read(answer: &[u8], count: usize) -> Result<Vec<Outcome>> {
    let bulk: Bulk = serde_json::from_slice(answer)
        .map_err(|err| Error::new(&PROTOCOL, "the answer to a bulk is unknown").caused_by(err))?;
    if bulk.items.len() != count {
        return Err(Error::new(&PROTOCOL, "not all operations were answered")
            .context("sent", count)
            .context("answered", bulk.items.len()));
    }
    Ok(bulk.items.into_iter().map(outcome).collect())
}

fn outcome(item: Item) -> Outcome {
    let deletes = matches!(item, Item::Delete(_));
    let (Item::Index(status) | Item::Create(status) | Item::Delete(status) | Item::Update(status)) =
        item;
    let (kind, reason) = status.error.as_ref().map(words).unwrap_or_default();
    match status.status {
        200..=299 => Outcome::Done,
        404 if deletes && kind.is_empty() => Outcome::Done,
        // Invariant 6: what comes again or late loses, and that is success.
        409 => Outcome::Stale,
        status => {
            let err = classify(&Answer {
                status,
                kind,
                reason,
            });
            match err.verdict() {
                Verdict::Retry => Outcome::Again(err),
                Verdict::Reject => Outcome::Refused(err),
                Verdict::Fail => Outcome::Fatal(err),
            }
        }
    }
}

/// Kind and reason of an error, with the reasons of its causes. Some errors are plain text.
pub(crate) fn words(error: &Value) -> (String, String) {
    let text = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    if let Some(plain) = error.as_str() {
        return (String::new(), plain.to_owned());
    }
    let mut reason = text(error, "reason");
    let mut cause = error.get("caused_by");
    for _ in 0..4 {
        let Some(inner) = cause else { break };
        let why = text(inner, "reason");
        if !why.is_empty() && !reason.contains(&why) {
            reason.push_str(": ");
            reason.push_str(&why);
        }
        cause = inner.get("caused_by");
    }
    (text(error, "type"), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = br#"{"items":[
        {"index":{"status":201}},
        {"delete":{"status":404}},
        {"index":{"error":{"type":"version_conflict_engine_exception","reason":"r"},"status":409}},
        {"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"r"}}},
        {"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed",
            "caused_by":{"type":"x","reason":"For input string"}}}},
        {"delete":{"status":404,"error":{"type":"index_not_found_exception","reason":"r"}}},
        {"index":{"status":403,"error":{"type":"security_exception","reason":"r"}}}]}"#;

    #[test]
    fn each_operation_has_its_outcome() {
        let all = read(ANSWER, 7).unwrap();
        assert!(matches!(
            all.as_slice(),
            [
                Outcome::Done,
                Outcome::Done,
                Outcome::Stale,
                Outcome::Again(_),
                Outcome::Refused(_),
                Outcome::Fatal(_),
                Outcome::Fatal(_)
            ]
        ));
        let Outcome::Refused(err) = &all[4] else {
            unreachable!()
        };
        assert!(err.report().contains("failed: For input string"));
    }

    #[test]
    fn other_answers_are_errors_and_no_prefix_panics() {
        assert!(read(ANSWER, 6).is_err());
        for end in 0..ANSWER.len() {
            assert!(read(&ANSWER[..end], 7).is_err());
        }
        assert_eq!(words(&Value::from("no handler")).1, "no handler");
    }
}
