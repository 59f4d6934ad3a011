//! What differs between two answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    mask::{FIELDS, HEADERS, ONLY_ONE, OPEN_ENDS, UNORDERED, VERSIONS},
    worker::Told,
};

/// Every difference, with its place.
pub(super) fn differences(theirs: &Told, ours: &Told) -> Vec<String> {
    let mut found = Vec::new();
    if theirs.status != ours.status {
        found.push(format!(
            "status {}, ours {} ({} / {})",
            theirs.status,
            ours.status,
            short(&theirs.body),
            short(&ours.body)
        ));
    }
    for name in HEADERS {
        // RFC 9110 wants it where Kafka Connect leaves it out.
        if *name == "allow" && theirs.status == 405 && ours.headers.contains_key("allow") {
            continue;
        }
        let (a, b) = (header(theirs, name), header(ours, name));
        if a != b {
            found.push(format!("{name}: {a:?}, ours {b:?}"));
        }
    }
    match (json(&theirs.body), json(&ours.body)) {
        (Some(a), Some(b)) => look("", &sorted(a), &sorted(b), &mut found),
        _ if same_text(&theirs.body, &ours.body) => {}
        _ => found.push(format!(
            "body {:?}, ours {:?}",
            short(&theirs.body),
            short(&ours.body)
        )),
    }
    found
}

/// As a set, since the order of `Allow` means nothing; types without parameters.
fn header<'a>(told: &'a Told, name: &str) -> Option<BTreeSet<&'a str>> {
    let value = told.headers.get(name)?;
    let items = value.split(',').map(str::trim);
    Some(items.collect())
}

fn json(text: &str) -> Option<Value> {
    let read: Value = serde_json::from_str(text).ok()?;
    (read.is_object() || read.is_array()).then_some(read)
}

/// Names of connectors, and offsets, have the order of a hash table in Kafka Connect.
fn sorted(mut json: Value) -> Value {
    if let Some(Value::Array(offsets)) = json.get_mut("offsets") {
        offsets.sort_by_key(|offset| offset["partition"].to_string());
    }
    if let Value::Array(items) = &mut json
        && items.iter().all(Value::is_string)
    {
        items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    json
}

fn look(at: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => objects(at, a, b, found),
        (Value::Array(a), Value::Array(b)) => arrays(at, &both(a), &both(b), found),
        (Value::String(a), Value::String(b)) if same_text(a, b) => {}
        (a, b) if a == b => {}
        (a, b) => found.push(format!(
            "{at}: {}, ours {}",
            short(&a.to_string()),
            short(&b.to_string())
        )),
    }
}

fn arrays(at: &str, theirs: &[&Value], ours: &[&Value], found: &mut Vec<String>) {
    let names = |items: &[&Value]| -> Vec<String> { items.iter().map(|item| name(item)).collect() };
    let (a, b) = (names(theirs), names(ours));
    if a != b && theirs.iter().chain(ours).all(|item| item.is_object()) {
        let missing: Vec<_> = a.iter().filter(|name| !b.contains(name)).collect();
        let more: Vec<_> = b.iter().filter(|name| !a.contains(name)).collect();
        if !missing.is_empty() || !more.is_empty() {
            found.push(format!("{at}: without {missing:?}, but with {more:?}"));
            return;
        }
        // The order of properties is that of a hash table in Kafka Connect; forms go by `order_in_group`.
        if at != UNORDERED {
            found.push(format!("{at}: another order: {a:?}, ours {b:?}"));
            return;
        }
        for a in theirs {
            if let Some(b) = ours.iter().find(|b| name(b) == name(a)) {
                look(&format!("{at}/{}", name(a)), a, b, found);
            }
        }
        return;
    }
    if theirs.len() != ours.len() {
        found.push(format!("{at}: {theirs:?}, ours {ours:?}"));
    }
    for (index, (a, b)) in theirs.iter().zip(ours).enumerate() {
        look(&format!("{at}/{index}"), a, b, found);
    }
}

/// The items that both can have.
fn both(items: &[Value]) -> Vec<&Value> {
    let is_own = |item: &&Value| {
        let name = name(item);
        ONLY_ONE.iter().any(|part| name.contains(part))
    };
    items.iter().filter(|item| !is_own(item)).collect()
}

/// What tells the items of an array apart.
fn name(item: &Value) -> String {
    let ways = ["/class", "/name", "/value/name"];
    let named = ways.iter().find_map(|way| item.pointer(way)?.as_str());
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    match (named, item.as_str()) {
        (Some(name), _) => format!("{name} {kind}").trim_end().to_owned(),
        (None, Some(text)) => text.to_owned(),
        _ => String::new(),
    }
}

fn objects(
    at: &str,
    theirs: &Map<String, Value>,
    ours: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    for (name, a) in theirs {
        match ours.get(name) {
            None => found.push(format!(
                "{at}/{name}: {}, ours is missing",
                short(&a.to_string())
            )),
            Some(b) if is_masked(name, a, b) => {}
            Some(b) => look(&format!("{at}/{name}"), a, b, found),
        }
    }
    let more = ours.iter().filter(|(name, _)| !theirs.contains_key(*name));
    for (name, b) in more {
        found.push(format!(
            "{at}/{name}: missing, ours {}",
            short(&b.to_string())
        ));
    }
}

fn is_masked(name: &str, a: &Value, b: &Value) -> bool {
    // A version is null in Kafka Connect while a task is restarted.
    let same_type = std::mem::discriminant(a) == std::mem::discriminant(b) || name == "version";
    FIELDS.iter().any(|(field, _)| *field == name) && same_type
}

fn same_text(theirs: &str, ours: &str) -> bool {
    let closed = |text: &str| {
        let end = OPEN_ENDS
            .iter()
            .find_map(|end| Some(text.find(end)? + end.len()));
        text.get(..end.unwrap_or(text.len()))
            .unwrap_or(text)
            .to_owned()
    };
    [theirs, ours] == VERSIONS || closed(theirs) == closed(ours)
}

fn short(text: &str) -> String {
    const LONGEST: usize = 400;
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Told {
        Told {
            status: 200,
            body: body.to_owned(),
            ..Told::default()
        }
    }

    #[test]
    fn answers_are_compared() {
        let found = |a: &str, b: &str| differences(&told(a), &told(b)).len();
        assert_eq!(found(r#"["b","a"]"#, r#"["a","b"]"#), 0);
        assert_eq!(
            found(r#"{"version":"1","a":1}"#, r#"{"version":"2","a":1}"#),
            0
        );
        assert_eq!(found(r#"{"a":1}"#, r#"{"a":2,"b":1}"#), 2);
        assert_eq!(
            found(
                r#"[{"name":"a"}]"#,
                r#"[{"name":"io.debezium.X"},{"name":"a"}]"#
            ),
            0
        );
        assert_eq!(
            found(
                r#"[{"name":"a"},{"name":"b"}]"#,
                r#"[{"name":"b"},{"name":"a"}]"#
            ),
            1
        );
        assert_eq!(found("", "x"), 1);
    }
}
