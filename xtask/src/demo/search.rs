//! The search engine, where each row is a document `KEY` of the index `PREFIX.TABLE`.

use serde_json::{Value, json};
use stack::Search;

use super::{
    Result,
    inventory::HEARTBEAT,
    mirror::{Document, Mirror},
};

/// A reader of the search engine.
pub(super) struct SearchMirror {
    search: Search,
    prefix: &'static str,
}

/// How long a full server is given.
const ROOM: std::time::Duration = std::time::Duration::from_secs(30);

impl SearchMirror {
    /// A reader; every request is a connection, and indices begin with the prefix.
    pub(super) fn new(search: &Search, prefix: &'static str) -> Self {
        Self {
            prefix,
            search: search.clone(),
        }
    }

    /// The indices of the demo's tables.
    pub(super) fn indices(&self) -> Result<Vec<String>> {
        let prefix = self.prefix;
        let path = format!("/_cat/indices/{prefix}*?format=json&h=index");
        let listed = self.ask("GET", &path, &Value::Null)?;
        let listed = listed.as_array().into_iter().flatten();
        let names = listed.filter_map(|it| it["index"].as_str().map(str::to_owned));
        Ok(names.collect())
    }

    /// The answer, and JSON's null when there is no such thing.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        // A server whose memory is full for the moment says 429.
        let mut told = None;
        stack::wait_until("the search server to have room", ROOM, || {
            told = Some(
                self.request(method, path, body)
                    .map_err(|err| err.to_string()),
            );
            Ok(!matches!(told, Some(Ok((429, _)))))
        })?;
        match told.ok_or("the search server was not asked")?? {
            (503, answer) => Err(format!("{method} {path} was answered 503: {answer}").into()),
            (_, answer) => Ok(answer),
        }
    }

    /// The answer, and JSON's null when there is no such thing or its index is just being made.
    fn glance(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        match self.request(method, path, body)? {
            (429 | 503, _) => Ok(Value::Null),
            (_, answer) => Ok(answer),
        }
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<(u16, Value)> {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.search.request(method, path, &body)?;
        match answer.status {
            status @ (200..300 | 429 | 503) => Ok((status, serde_json::from_str(&answer.body)?)),
            404 => Ok((404, Value::Null)),
            status => Err(format!("{method} {path} was answered {status}: {}", answer.body).into()),
        }
    }
}

impl Mirror for SearchMirror {
    fn name(&self) -> &'static str {
        "search"
    }

    fn is_plain(&self) -> bool {
        false
    }

    /// What a search would find. To read what is not refreshed yet would make the server refresh it each time, which is
    /// dear, and would slow down the writes that are being timed.
    fn beat(&mut self) -> Result<Option<u64>> {
        let prefix = self.prefix;
        let rows = HEARTBEAT.each_ref().map(|it| {
            json!({"_index": format!("{prefix}{}", it.table), "_id": it.key, "_source": [it.column]})
        });
        let found = self.glance("POST", "/_mget?realtime=false", &json!({ "docs": rows }))?;
        let beats = HEARTBEAT
            .iter()
            .enumerate()
            .map(|(at, it)| found["docs"][at]["_source"][it.column].as_u64());
        let beats: Option<Vec<u64>> = beats.collect();
        Ok(beats.and_then(|beats| beats.into_iter().min()))
    }

    fn rows(&mut self) -> Result<u64> {
        let prefix = self.prefix;
        let count = self.glance("GET", &format!("/{prefix}*/_count"), &Value::Null)?;
        Ok(count["count"].as_u64().unwrap_or(0))
    }

    fn writes(&mut self) -> Result<u64> {
        let prefix = self.prefix;
        let path = format!("/{prefix}*/_stats/indexing");
        let told = self.glance("GET", &path, &Value::Null)?;
        let counts = &told["_all"]["primaries"]["indexing"];
        let count = |name: &str| counts[name].as_u64().unwrap_or(0);
        Ok(count("index_total") + count("delete_total"))
    }

    fn fetch(&mut self, table: &str, keys: &[&str]) -> Result<Vec<Option<Document>>> {
        let prefix = self.prefix;
        let path = format!("/{prefix}{table}/_mget");
        let mut told = self.ask("POST", &path, &json!({ "ids": keys }))?;
        let Some(Value::Array(found)) = told.get_mut("docs").map(Value::take) else {
            return Ok(keys.iter().map(|_| None).collect());
        };
        let documents = found.into_iter().map(|mut it| match it["_source"].take() {
            Value::Object(document) => Some(document),
            _ => None,
        });
        Ok(documents.collect())
    }

    fn keys(&mut self) -> Result<Vec<(String, String)>> {
        let prefix = self.prefix;
        self.ask("POST", &format!("/{prefix}*/_refresh"), &Value::Null)?;
        let first = json!({"size": 5000, "_source": false, "sort": ["_doc"]});
        let mut page = self.ask("POST", &format!("/{prefix}*/_search?scroll=1m"), &first)?;
        let mut all = Vec::new();
        while let Some(hits) = page["hits"]["hits"].as_array().filter(|it| !it.is_empty()) {
            all.extend(hits.iter().filter_map(|hit| {
                let table = hit["_index"].as_str()?.strip_prefix(prefix)?;
                Some((table.to_owned(), hit["_id"].as_str()?.to_owned()))
            }));
            let next = json!({"scroll": "1m", "scroll_id": page["_scroll_id"]});
            page = self.ask("POST", "/_search/scroll", &next)?;
        }
        Ok(all)
    }
}
