//! The header `traceparent` (W3C Trace Context, version 00) of records and requests.

use std::{collections::HashMap, ops::Range, sync::Arc};

use connect_core::{Encoded, encoded::EncodedHeader};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Its name.
pub(super) const HEADER: &str = "traceparent";
/// More producers than this are not told of a batch.
const MOST: usize = 32;

/// The header of what happens in a span.
pub(super) fn text(of: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        of.trace_id(),
        of.span_id(),
        of.trace_flags() & TraceFlags::SAMPLED
    )
}

/// Reads a header; what is none, or of no trace, is left out. Later versions begin as this one does.
pub(super) fn read(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let flags = parts.next()?;
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_one = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    let ends = version != "00" || parts.next().is_none();
    if !is_one || version == "ff" || !ends {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// The traces that records carry, each once.
pub(super) fn carried(records: &Encoded) -> Vec<SpanContext> {
    let mut all: Vec<SpanContext> = Vec::new();
    for record in &records.records {
        let headers = records.headers.get(record.headers.clone());
        let carried = headers.and_then(|headers| headers.iter().find(|h| &*h.name == HEADER));
        let Some(range) = carried.and_then(|header| header.value.clone()) else {
            continue;
        };
        let value = records.bytes.get(range).map(std::str::from_utf8);
        let Some(Ok(Some(context))) = value.map(|text| text.map(read)) else {
            continue;
        };
        if all.len() < MOST && !all.contains(&context) {
            all.push(context);
        }
    }
    all
}

/// Lets records carry a trace; those that carry one keep it. Records that share their headers still do.
pub(super) fn put(records: &mut Encoded, of: &SpanContext) {
    let start = records.bytes.len();
    records.bytes.extend_from_slice(text(of).as_bytes());
    let ours = EncodedHeader {
        name: Arc::from(HEADER),
        value: Some(start..records.bytes.len()),
    };
    let mut moved: HashMap<Range<usize>, Range<usize>> = HashMap::new();
    for record in &mut records.records {
        let had = record.headers.clone();
        let has = moved.entry(had.clone()).or_insert_with(|| {
            let own = records
                .headers
                .get(had.clone())
                .unwrap_or_default()
                .to_vec();
            if own.iter().any(|header| &*header.name == HEADER) {
                return had;
            }
            let start = records.headers.len();
            records.headers.extend(own);
            records.headers.push(ours.clone());
            start..records.headers.len()
        });
        record.headers = has.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn headers_are_read_as_the_recommendation_has_them() {
        let context = read(TEXT).unwrap();
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(text(&context), TEXT);
        let later = TEXT.replace("00-4b", "cc-4b") + "-what-comes";
        assert_eq!(read(&later).unwrap(), context);
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473ü-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for end in 0..TEXT.len() {
            assert_eq!(read(&TEXT[..end]), None);
        }
    }

    #[test]
    fn records_carry_a_trace_beside_their_own_headers() {
        let mut records = Encoded::default();
        let topic: Arc<str> = "t".into();
        for _ in 0..4 {
            records.push(&topic, None, Some(b"v"), -1);
        }
        let header = |name: &str, value: Option<Range<usize>>| EncodedHeader {
            name: name.into(),
            value,
        };
        records.headers.push(header("own", None));
        let start = records.bytes.len();
        records
            .bytes
            .extend_from_slice(TEXT.replace("4bf9", "aaaa").as_bytes());
        records
            .headers
            .push(header(HEADER, Some(start..records.bytes.len())));
        records.records[1].headers = 0..1;
        records.records[2].headers = 0..1;
        records.records[3].headers = 1..2;
        put(&mut records, &read(TEXT).unwrap());
        let names = |at: usize| -> Vec<&str> {
            let headers = &records.headers[records.records[at].headers.clone()];
            headers.iter().map(|header| &*header.name).collect()
        };
        assert_eq!(names(0), [HEADER]);
        assert_eq!(names(1), ["own", HEADER]);
        assert_eq!(records.records[1].headers, records.records[2].headers);
        assert_eq!(names(3), [HEADER]);
        let carried: Vec<String> = carried(&records).iter().map(text).collect();
        assert_eq!(carried, [TEXT.to_owned(), TEXT.replace("4bf9", "aaaa")]);
    }
}
