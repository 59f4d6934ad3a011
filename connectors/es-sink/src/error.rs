//! Every error of this connector; what the server says is classified here and nowhere else.

use std::time::Duration;

use connect_core::{Code, Error};

connect_core::codes! {
    /// No connection, or it broke.
    UNREACHABLE = "es.unreachable", Retry, "Check that the server runs and that `connection.url` leads to it.";
    /// No answer in time.
    TIMEOUT = "es.timeout", Retry, "Check the load of the server, or raise `read.timeout.ms`.";
    /// TLS settings that cannot work.
    TLS = "es.tls", Fail, "Check the scheme of `connection.url` and the `connection.ssl.*` properties.";
    /// Wrong user, password or key.
    AUTH = "es.auth", Fail, "Check `connection.username` and `connection.password`, or `connection.api.key`.";
    /// The user may not do this.
    PERMISSION = "es.permission", Fail, "Grant the user `index`, `delete`, `read`, `create_index` and `manage` on the indices.";
    /// The server takes no more for the moment.
    OVERLOADED = "es.overloaded", Retry, "Add capacity to the server, or lower `max.in.flight.requests` and `batch.size`.";
    /// The server or a shard is not there for the moment.
    UNAVAILABLE = "es.unavailable", Retry, "Check the health of the cluster (`GET _cluster/health`).";
    /// The index takes no writes.
    BLOCKED = "es.index_blocked", Retry, "Free disk space (the flood stage makes indices read-only) or remove the block with `PUT INDEX/_settings`.";
    /// The document does not fit the mapping.
    MAPPING = "es.mapping", Reject, "Change the mapping of the field or the data; the cause has the server's words.";
    /// The server refused the document for another reason.
    REFUSED = "es.refused", Reject, "The cause has the server's words.";
    /// One document alone is larger than the server takes.
    TOO_LARGE = "es.too_large", Reject, "Drop the field with a transform, or raise the server's `http.max_content_length`.";
    /// The id cannot be made from the record.
    ID = "es.id", Reject, "Use fields of the record's key in `document.id`, or set `key.ignore=true` for events without a key.";
    /// The index cannot be made from the record.
    INDEX_NAME = "es.index_name", Reject, "Use parts in `index.name` that every record has.";
    /// The version cannot be made from the record.
    VERSION = "es.version", Reject, "Set `version.source=offset`, or send records that have `source.lsn`.";
    /// A null value where nulls are not allowed.
    NULL = "es.null_value", Reject, "Set `behavior.on.null.values` to delete or ignore.";
    /// Two topics want the same index.
    COLLISION = "es.index_collision", Fail, "Give the topics indices of their own with `index.name`, or rename one.";
    /// No index and none may be made.
    NO_INDEX = "es.no_index", Fail, "Create the index, or set `mapping.create=true`.";
    /// The mapping cannot be made or extended.
    MAPPING_UPDATE = "es.mapping_update", Fail, "Create a new index with the wanted mapping and reindex; the cause has the server's words.";
    /// An answer that no Elasticsearch or OpenSearch gives.
    PROTOCOL = "es.protocol", Retry, "Check that `connection.url` leads to Elasticsearch or OpenSearch and not to something between.";
}

/// What the server says of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status, or the status of an item.
    pub(crate) status: u16,
    /// Such as `mapper_parsing_exception`; empty when it has none.
    pub(crate) kind: String,
    /// Its sentence, and those of its causes.
    pub(crate) reason: String,
}

/// An error that the server answered with, for a whole request or one item.
pub(crate) fn classify(answer: &Answer) -> Error {
    let (code, what): (&'static Code, &'static str) = match (answer.status, answer.kind.as_str()) {
        (_, "cluster_block_exception") => (&BLOCKED, "the index takes no writes"),
        (429, _) | (_, "es_rejected_execution_exception" | "circuit_breaking_exception") => {
            (&OVERLOADED, "the server is overloaded")
        }
        (401, _) => (&AUTH, "the server refused the user, password or key"),
        (403, _) => (&PERMISSION, "the user may not do this"),
        (_, "index_not_found_exception") => (&NO_INDEX, "the index does not exist"),
        (408 | 502..=504, _) => (&UNAVAILABLE, "the server is not available"),
        (413, _) => (&TOO_LARGE, "the request is larger than the server takes"),
        (_, kind) if is_mapping(kind) => (&MAPPING, "the document does not fit the mapping"),
        (400..=499, _) => (&REFUSED, "the server refused the document"),
        _ => (&UNAVAILABLE, "the server failed"),
    };
    let words = match answer.kind.as_str() {
        "" => answer.reason.clone(),
        kind => format!("{kind}: {}", answer.reason),
    };
    Error::new(code, what)
        .context("status", answer.status)
        .caused_by(words)
}

fn is_mapping(kind: &str) -> bool {
    matches!(
        kind,
        "mapper_parsing_exception"
            | "document_parsing_exception"
            | "strict_dynamic_mapping_exception"
            | "illegal_argument_exception"
            | "x_content_parse_exception"
            | "mapper_exception"
    )
}

/// A request that got no answer.
pub(crate) fn unanswered(err: reqwest::Error) -> Error {
    // The address could have a password in it.
    let err = err.without_url();
    if err.is_timeout() {
        return Error::new(&TIMEOUT, "the server did not answer in time").caused_by(err);
    }
    if is_certificate(&err) {
        return Error::new(&TLS, "the TLS handshake failed").caused_by(err);
    }
    Error::new(&UNREACHABLE, "the connection to the server failed").caused_by(err)
}

/// Whether TLS itself failed: such an error lies inside others, some of which do not call it their source.
fn is_certificate(err: &(dyn std::error::Error + 'static)) -> bool {
    if err.is::<rustls::Error>() {
        return true;
    }
    let inner = err
        .downcast_ref::<std::io::Error>()
        .and_then(|io| io.get_ref());
    inner.is_some_and(|inner| is_certificate(inner)) || err.source().is_some_and(is_certificate)
}

/// An overload with the delay that the server asks for.
pub(crate) fn delayed(err: Error, after: Option<Duration>) -> Error {
    match after {
        Some(delay) => err.retry_after(delay),
        None => err,
    }
}

#[cfg(test)]
mod tests {
    use connect_core::Verdict::{self, Fail, Reject, Retry};

    use super::*;

    #[test]
    fn answers_have_the_right_verdict() {
        let cases: &[(u16, &str, Verdict)] = &[
            (400, "mapper_parsing_exception", Reject),
            (400, "document_parsing_exception", Reject),
            (400, "strict_dynamic_mapping_exception", Reject),
            (400, "invalid_index_name_exception", Reject),
            (401, "security_exception", Fail),
            (403, "security_exception", Fail),
            (403, "cluster_block_exception", Retry),
            (429, "cluster_block_exception", Retry),
            (429, "es_rejected_execution_exception", Retry),
            (429, "circuit_breaking_exception", Retry),
            (503, "unavailable_shards_exception", Retry),
            (404, "index_not_found_exception", Fail),
            (500, "", Retry),
            (502, "", Retry),
        ];
        for (status, kind, verdict) in cases {
            let answer = Answer {
                status: *status,
                kind: (*kind).into(),
                reason: String::new(),
            };
            assert_eq!(classify(&answer).verdict(), *verdict, "{status} {kind}");
        }
    }
}
