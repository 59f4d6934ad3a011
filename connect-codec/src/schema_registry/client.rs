//! HTTP to the registry: register, look up, fetch.

use std::sync::Arc;

use connect_core::{Error, Result, Verdict};
use parking_lot::Mutex;
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::nodes::Nodes;
use crate::error::{
    REGISTRY_ANSWER, REGISTRY_LOGIN, REGISTRY_UNREACHABLE, SCHEMA_INCOMPATIBLE, SCHEMA_MISSING,
    SCHEMA_REFUSED, SCHEMA_UNKNOWN,
};

const MEDIA: &str = "application/vnd.schemaregistry.v1+json";
/// No answer to our requests is larger.
const LARGEST_ANSWER: usize = 32 << 20;
/// Schemas may refer to others, which may refer to others; beyond this many, something is wrong.
const MOST_REFERENCES: usize = 200;

/// A client of one registry.
pub(crate) struct Client {
    http: reqwest::Client,
    nodes: Nodes,
    normalize: bool,
    /// Numbers of what was registered or looked up, by subject and text.
    ids: Mutex<Ids>,
    most: usize,
}

/// Numbers by subject and text.
type Ids = FxHashMap<(Arc<str>, Arc<str>), u32>;

/// A schema as the registry has it.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub(crate) kind: String,
    /// Its text.
    pub(crate) text: String,
    /// The schemas that it refers to, and those that these refer to.
    pub(crate) references: Vec<Named>,
}

/// A schema under the name by which another refers to it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, nodes: Nodes, normalize: bool, most: usize) -> Self {
        Self {
            http,
            nodes,
            normalize,
            ids: Mutex::default(),
            most,
        }
    }

    /// Registers a schema, or finds that it is there already: its number.
    pub(crate) async fn register(&self, subject: &str, kind: &str, text: &str) -> Result<u32> {
        self.once(subject, kind, text, &["subjects", subject, "versions"])
            .await
    }

    /// The number of a schema that has to be there.
    pub(crate) async fn look_up(&self, subject: &str, kind: &str, text: &str) -> Result<u32> {
        self.once(subject, kind, text, &["subjects", subject]).await
    }

    async fn once(&self, subject: &str, kind: &str, text: &str, path: &[&str]) -> Result<u32> {
        let key = (Arc::from(subject), Arc::from(text));
        if let Some(id) = self.ids.lock().get(&key) {
            return Ok(*id);
        }
        let mut body = json!({"schema": text});
        if kind != "AVRO" {
            body["schemaType"] = kind.into();
        }
        let query = if self.normalize { "normalize=true" } else { "" };
        let answer = self.call(Method::POST, path, query, Some(&body)).await;
        let answer = answer.map_err(|error| error.context("subject", subject))?;
        let id = id_of(&answer)?;
        let mut ids = self.ids.lock();
        // Invariant 4: nothing unbounded.
        if ids.len() >= self.most {
            ids.clear();
        }
        ids.insert(key, id);
        Ok(id)
    }

    /// The newest schema of a subject, with its number.
    pub(crate) async fn latest(&self, subject: &str) -> Result<(u32, Registered)> {
        let path = ["subjects", subject, "versions", "latest"];
        let answer = self.call(Method::GET, &path, "", None).await;
        let answer = answer.map_err(|error| error.context("subject", subject))?;
        Ok((id_of(&answer)?, self.resolved(&answer).await?))
    }

    /// The schema of a number.
    pub(crate) async fn by_id(&self, id: u32) -> Result<Registered> {
        let path = ["schemas", "ids", &id.to_string()];
        let answer = self.call(Method::GET, &path, "", None).await;
        let answer = answer.map_err(|error| match error.code() == &SCHEMA_MISSING {
            true => Error::new(&SCHEMA_UNKNOWN, "the registry has no schema of this number")
                .context("id", id)
                .caused_by(error),
            false => error.context("id", id),
        })?;
        self.resolved(&answer).await
    }

    /// A schema with all that it refers to, the deepest first.
    async fn resolved(&self, answer: &Value) -> Result<Registered> {
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut references: Vec<Named> = Vec::new();
        let mut open = pointers(answer);
        while let Some((name, subject, version)) = open.pop() {
            if references.len() >= MOST_REFERENCES {
                return Err(unexpected("a schema refers to too many others"));
            }
            references.retain(|known| known.name != name);
            let path = ["subjects", &subject, "versions", &version];
            let found = self.call(Method::GET, &path, "", None).await?;
            let schema =
                text(&found, "schema").ok_or_else(|| unexpected("a reference has no schema"))?;
            open.extend(pointers(&found));
            references.insert(0, Named { name, text: schema });
        }
        Ok(Registered {
            kind: text(answer, "schemaType").unwrap_or_else(|| "AVRO".to_owned()),
            text: text(answer, "schema").ok_or_else(|| unexpected("an answer has no schema"))?,
            references,
        })
    }

    /// Sends a request. A registry that does not answer is passed over for the next: every request of ours may come twice.
    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut others = self.nodes.count().saturating_sub(1);
        loop {
            let Some((node, base)) = self.nodes.pick() else {
                return Err(unexpected("there is no registry"));
            };
            let url = address(base, path, query);
            match self.call_one(method.clone(), url, body).await {
                Err(error) if error.verdict() == Verdict::Retry => {
                    self.nodes.failed(node);
                    if others == 0 {
                        return Err(error);
                    }
                    others -= 1;
                }
                called => return called,
            }
        }
    }

    async fn call_one(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Value> {
        let host = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or(0)
        );
        let mut request = self.http.request(method, url).header(ACCEPT, MEDIA);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, MEDIA).body(body.to_string());
        }
        let unanswered = |error: reqwest::Error| {
            Error::new(&REGISTRY_UNREACHABLE, "the schema registry does not answer")
                .context("registry", &host)
                .caused_by(error.without_url())
        };
        let mut answer = request.send().await.map_err(unanswered)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unanswered)? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(unexpected("an answer of the registry is too large"));
            }
            bytes.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(refusal(status, &bytes).context("registry", &host));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            unexpected("an answer is not JSON")
                .context("registry", &host)
                .caused_by(error)
        })
    }
}

/// Name, subject and version of each reference.
fn pointers(answer: &Value) -> Vec<(String, String, String)> {
    let list = answer.get("references").and_then(Value::as_array);
    let one = |reference: &Value| {
        let text = |name: &str| reference.get(name)?.as_str().map(str::to_owned);
        Some((
            text("name")?,
            text("subject")?,
            reference.get("version")?.to_string(),
        ))
    };
    list.into_iter().flatten().filter_map(one).collect()
}

fn id_of(answer: &Value) -> Result<u32> {
    let id = answer.get("id").and_then(Value::as_u64);
    id.and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| unexpected("an answer has no number of a schema"))
}

fn address(base: &Url, path: &[&str], query: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        url.set_query(Some(query));
    }
    url
}

fn unexpected(what: &'static str) -> Error {
    Error::new(&REGISTRY_ANSWER, what)
}

/// What an answer that is no success says, in the registry's words.
fn refusal(status: StatusCode, body: &[u8]) -> Error {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = told
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let code = told.get("error_code").and_then(Value::as_u64);
    let (code_of_ours, what) = match status.as_u16() {
        401 | 403 => (&REGISTRY_LOGIN, "the schema registry refuses this login"),
        404 => (
            &SCHEMA_MISSING,
            "the schema registry does not have this schema",
        ),
        409 => (
            &SCHEMA_INCOMPATIBLE,
            "the schema registry refuses a schema that is not compatible with those before it",
        ),
        400 | 405 | 422 => (&SCHEMA_REFUSED, "the schema registry refuses a schema"),
        _ => (&REGISTRY_ANSWER, "the schema registry cannot answer"),
    };
    let error = Error::new(code_of_ours, what).context("status", status.as_u16());
    let error = match code {
        Some(code) if code != u64::from(status.as_u16()) => error.context("error_code", code),
        _ => error,
    };
    match words {
        "" => error,
        words => error.context("message", words.chars().take(2000).collect::<String>()),
    }
}
