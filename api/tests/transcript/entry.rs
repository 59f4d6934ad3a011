//! A transcript as text: requests with the answers that Kafka Connect gave.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request and its answer.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// What it is about; names it in messages.
    pub note: String,
    pub method: String,
    pub path: String,
    /// Headers of the request beyond the usual ones.
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub answer: Answer,
}

/// What a server answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// By name in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// Only the beginning of the body was recorded.
    pub is_cut: bool,
}

/// Reads entries: `### note`, `METHOD path`, `req-headers: …`, `> body`, `< status reason  headers={…}`, `< body`.
pub fn parse(text: &str) -> Vec<Entry> {
    text.split("### ")
        .filter(|t| !t.is_empty())
        .map(one)
        .collect()
}

fn one(text: &str) -> Entry {
    let mut lines = text.lines();
    let note = lines.next().unwrap_or_default().trim_end().to_owned();
    let (method, path) = lines
        .next()
        .and_then(|l| l.split_once(' '))
        .expect("METHOD path");
    let mut entry = Entry {
        note,
        method: method.to_owned(),
        path: path.to_owned(),
        ..Entry::default()
    };
    for line in lines {
        if let Some(headers) = line.strip_prefix("req-headers: ") {
            entry.headers = request_headers(headers);
        } else if let Some(body) = line.strip_prefix("> ") {
            entry.body = Some(body.to_owned());
        } else if let Some(answer) = line.strip_prefix("< ") {
            answered(&mut entry.answer, answer);
        }
    }
    entry
}

/// The first line has the status and the headers, the second the body.
fn answered(answer: &mut Answer, line: &str) {
    if answer.status == 0 {
        let (status, rest) = line.split_once(' ').expect("a status");
        answer.status = status.parse().expect("a number");
        let (_, rest) = rest.split_once("headers=").expect("headers");
        let (headers, _) = rest.rsplit_once("  (").expect("a time");
        let headers: BTreeMap<String, String> = serde_json::from_str(headers).expect("JSON");
        answer.headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        return;
    }
    let cut = line
        .rsplit_once("…[")
        .filter(|(_, rest)| rest.ends_with(" chars]"));
    answer.is_cut = cut.is_some();
    cut.map_or(line, |(body, _)| body)
        .clone_into(&mut answer.body);
}

/// `{'Accept': 'text/html'}`
fn request_headers(text: &str) -> Vec<(String, String)> {
    let json: Value = serde_json::from_str(&text.replace('\'', "\"")).expect("headers");
    let fields = json.as_object().into_iter().flatten();
    fields
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}
