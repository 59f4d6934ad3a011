//! What differs between a recorded answer and ours.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    VERSION,
    entry::Answer,
    known::{HEADERS, MASKED, NOT_OURS, NOT_THEIRS, OPEN_ENDS},
};

/// Every difference, with its place.
pub fn differences(recorded: &Answer, ours: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if recorded.status != ours.status {
        found.push(format!("status {}, ours {}", recorded.status, ours.status));
    }
    for name in HEADERS {
        let (a, b) = (header(recorded, name), header(ours, name));
        if a != b {
            found.push(format!("{name}: {a:?}, ours {b:?}"));
        }
    }
    bodies(recorded, ours, &mut found);
    found
}

/// A header as a set, since the order of `Allow` means nothing.
fn header<'a>(answer: &'a Answer, name: &str) -> Option<BTreeSet<&'a str>> {
    let value = answer.headers.get(name)?;
    Some(value.split(',').map(str::trim).collect())
}

fn bodies(recorded: &Answer, ours: &Answer, found: &mut Vec<String>) {
    if recorded.body.is_empty() || ours.body.is_empty() {
        if recorded.body != ours.body {
            found.push(format!("body {:?}, ours {:?}", recorded.body, ours.body));
        }
        return;
    }
    let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::String(text.to_owned()));
    let theirs = if recorded.is_cut {
        completed(&recorded.body)
    } else {
        read(&recorded.body)
    };
    let looker = Looker {
        is_cut: recorded.is_cut,
    };
    looker.look(
        "",
        &comparable(theirs),
        &comparable(read(&ours.body)),
        found,
    );
}

/// The names of connectors in one order: Kafka Connect gives that of a hash table.
fn comparable(mut json: Value) -> Value {
    if let Value::Array(items) = &mut json
        && items.iter().all(Value::is_string)
    {
        items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    json
}

/// The items that both can have.
fn shared(items: &[Value]) -> Vec<&Value> {
    let is_own = |item: &&Value| {
        let named = item.get("class").or(item.get("name")).unwrap_or(item);
        let name = named.as_str().unwrap_or_default();
        let mut own = NOT_OURS.iter().chain(NOT_THEIRS);
        !name.is_empty() && own.any(|prefix| name.starts_with(prefix))
    };
    items.iter().filter(|item| !is_own(item)).collect()
}

/// What tells the items of an array apart.
fn names(items: &[&Value]) -> BTreeSet<String> {
    let name = |item: &&Value| {
        let ways = ["/class", "/name", "/value/name"];
        let named = ways.iter().find_map(|way| item.pointer(way));
        let kind = item.get("type").unwrap_or(&Value::Null);
        named.map_or_else(|| item.to_string(), |name| format!("{name} {kind}"))
    };
    items.iter().map(name).collect()
}

struct Looker {
    is_cut: bool,
}

impl Looker {
    fn look(&self, at: &str, recorded: &Value, ours: &Value, found: &mut Vec<String>) {
        match (recorded, ours) {
            (Value::Object(a), Value::Object(b)) => self.objects(at, a, b, found),
            (Value::Array(a), Value::Array(b)) => {
                let (a, b) = (shared(a), shared(b));
                if a.len() > b.len() || !self.is_cut && a.len() != b.len() {
                    let (theirs, ours) = (names(&a), names(&b));
                    let missing: Vec<_> = theirs.difference(&ours).collect();
                    let more: Vec<_> = ours.difference(&theirs).collect();
                    found.push(format!("{at}: without {missing:?}, but with {more:?}"));
                    return;
                }
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    self.look(&format!("{at}/{i}"), a, b, found);
                }
            }
            (Value::String(a), Value::String(b)) if same_text(a, b) => {}
            (a, b) if a == b => {}
            (a, b) => found.push(format!("{at}: {a}, ours {b}")),
        }
    }

    fn objects(
        &self,
        at: &str,
        recorded: &Map<String, Value>,
        ours: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        for (name, a) in recorded {
            match ours.get(name) {
                None => found.push(format!("{at}/{name}: {a}, ours is missing")),
                Some(b) if is_masked(name, a, b) => {}
                Some(b) => self.look(&format!("{at}/{name}"), a, b, found),
            }
        }
        let more = ours
            .iter()
            .filter(|(name, _)| !recorded.contains_key(*name));
        for (name, b) in more.filter(|_| !self.is_cut) {
            found.push(format!("{at}/{name}: missing, ours {b}"));
        }
    }
}

/// Masked values are of the same type.
fn is_masked(name: &str, a: &Value, b: &Value) -> bool {
    let same_type = std::mem::discriminant(a) == std::mem::discriminant(b);
    MASKED.iter().any(|(masked, _)| *masked == name) && same_type
}

fn same_text(recorded: &str, ours: &str) -> bool {
    let closed = |text: &str| {
        let end = OPEN_ENDS
            .iter()
            .find_map(|end| Some(text.find(end)? + end.len()));
        text.get(..end.unwrap_or(text.len()))
            .unwrap_or(text)
            .to_owned()
    };
    // Our transforms and converters have our version.
    let version = recorded == VERSION && ours == env!("CARGO_PKG_VERSION");
    version || closed(recorded) == closed(ours)
}

/// The beginning of a JSON text as JSON: what was open when it was cut is closed.
fn completed(text: &str) -> Value {
    let mut kept = text.to_owned();
    loop {
        if let Ok(json) = serde_json::from_str(&(kept.clone() + &closers(&kept))) {
            return json;
        }
        assert!(kept.pop().is_some(), "no beginning of JSON: {text}");
    }
}

/// What closes everything that a JSON text left open.
fn closers(text: &str) -> String {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => {
                open.pop();
            }
            _ => {}
        }
    }
    let quote = in_string.then_some('"');
    quote.into_iter().chain(open.into_iter().rev()).collect()
}

#[test]
fn a_cut_text_keeps_its_beginning() {
    let cut = completed(r#"{"a":[{"b":1},{"c":"hal"#);
    assert_eq!(cut, serde_json::json!({"a": [{"b": 1}, {"c": "hal"}]}));
    let cut = completed(r#"{"a":{"b":1},"c":tr"#);
    assert_eq!(cut, serde_json::json!({"a": {"b": 1}}));
}
