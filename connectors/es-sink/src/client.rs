//! HTTP to the servers: login, media types, compression, errors.

use std::{io::Write, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use connect_core::{Error, Result, Verdict};
use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Method, StatusCode, Url,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
    },
};
use serde_json::Value;

use crate::{
    config::EsConfig,
    error::{Answer, OVERLOADED, PROTOCOL, TLS, UNREACHABLE, classify, delayed, unanswered},
    node::Nodes,
    product::Product,
    tls,
};

/// A client of one cluster.
pub(crate) struct Client {
    http: reqwest::Client,
    nodes: Nodes,
    compress: bool,
    json: HeaderValue,
    lines: HeaderValue,
    /// Which server it is.
    pub(crate) product: Product,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// JSON.
    Json,
    /// Lines of JSON.
    Lines,
}

/// No answer to our requests is larger.
const LARGEST_ANSWER: usize = 256 << 20;

impl Client {
    /// Connects and asks which server it is.
    pub(crate) async fn open(config: &EsConfig) -> Result<Self> {
        let mut client = Self {
            http: http(config)?,
            nodes: Nodes::new(&config.urls.0)?,
            compress: config.compression,
            json: HeaderValue::from_static("application/json"),
            lines: HeaderValue::from_static("application/x-ndjson"),
            product: Product::unknown(),
        };
        match client
            .call(Method::GET, &[], "", Body::Json, Vec::new())
            .await
        {
            Ok(body) => {
                client.product = Product::read(&body).ok_or_else(|| {
                    Error::new(&PROTOCOL, "this is neither Elasticsearch nor OpenSearch")
                })?;
            }
            // Who may only write to an index may not ask.
            Err(err) if err.code() == &crate::error::PERMISSION => {}
            Err(err) => return Err(err),
        }
        let (json, lines) = client.product.media_types();
        client.json = header(&json)?;
        client.lines = header(&lines)?;
        Ok(client)
    }

    /// Sends a request and gives the body of a good answer; any other is an error. A server that cannot be reached is
    /// passed over for the next: every request of ours may come twice.
    ///
    /// `path` are the parts of the path, not yet escaped; `query` is.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        kind: Body,
        body: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let body = match self.compress && !body.is_empty() {
            true => Bytes::from(gzip(&body)?),
            false => Bytes::from(body),
        };
        let mut others = self.nodes.count().saturating_sub(1);
        loop {
            let (node, base) = self.nodes.pick()?;
            let url = address(base, path, query);
            let called = self.call_one(method.clone(), url, kind, body.clone()).await;
            match &called {
                Ok(_) => self.nodes.answered(node),
                Err(err) if err.verdict() == Verdict::Retry && err.code() != &OVERLOADED => {
                    self.nodes.failed(node);
                }
                Err(_) => {}
            }
            match called {
                Err(err) if others > 0 && err.code() == &UNREACHABLE => others -= 1,
                called => return called,
            }
        }
    }

    async fn call_one(&self, method: Method, url: Url, kind: Body, body: Bytes) -> Result<Vec<u8>> {
        let mut request = self.http.request(method, url).header(ACCEPT, &self.json);
        if !body.is_empty() {
            let media = match kind {
                Body::Json => &self.json,
                Body::Lines => &self.lines,
            };
            request = request.header(CONTENT_TYPE, media).body(body);
            if self.compress {
                request = request.header(CONTENT_ENCODING, "gzip");
            }
        }
        let answer = request.send().await.map_err(unanswered)?;
        let (status, after) = (answer.status(), retry_after(answer.headers()));
        let body = read(answer).await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(delayed(classify(&read_answer(status, &body)), after))
    }

    /// [`Client::call`] with JSON in and out.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let bytes = body.map(|value| value.to_string().into_bytes());
        let answer = self
            .call(method, path, query, Body::Json, bytes.unwrap_or_default())
            .await?;
        serde_json::from_slice(&answer)
            .map_err(|err| Error::new(&PROTOCOL, "the answer is not JSON").caused_by(err))
    }
}

fn http(config: &EsConfig) -> Result<reqwest::Client> {
    let secure = config.urls.0.iter().any(|url| url.starts_with("https"));
    let mut headers = HeaderMap::new();
    if let Some(login) = authorization(config)? {
        headers.insert(AUTHORIZATION, login);
    }
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .connect_timeout(config.connect_timeout.0)
        .timeout(config.read_timeout.0)
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .pool_idle_timeout(Duration::from_secs(60));
    // A client without trust still has to be built for plain HTTP.
    builder = builder.tls_backend_preconfigured(tls::client(config, secure)?);
    builder
        .build()
        .map_err(|err| Error::new(&TLS, "the HTTP client cannot be set up").caused_by(err))
}

fn authorization(config: &EsConfig) -> Result<Option<HeaderValue>> {
    let text = match (&config.api_key, &config.username, &config.password) {
        (Some(key), _, _) if key.reveal().contains(':') => {
            format!("ApiKey {}", STANDARD.encode(key.reveal()))
        }
        (Some(key), _, _) => format!("ApiKey {}", key.reveal()),
        (None, Some(user), password) => {
            let password = password.as_ref().map_or("", |p| p.reveal());
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        (None, None, _) => return Ok(None),
    };
    let mut value = header(&text)?;
    // Invariant 7: secrets never print.
    value.set_sensitive(true);
    Ok(Some(value))
}

fn header(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| {
        Error::config("a user, password or key has characters that no header may have")
    })
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

fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let done = encoder.write_all(body).and_then(|()| encoder.finish());
    done.map_err(|err| Error::new(&PROTOCOL, "a request cannot be compressed").caused_by(err))
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Error::new(&PROTOCOL, "the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What an answer that is no success says. Proxies answer in other words than the servers.
fn read_answer(status: StatusCode, body: &[u8]) -> Answer {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let (kind, reason) = crate::outcome::words(told.get("error").unwrap_or(&Value::Null));
    Answer {
        status: status.as_u16(),
        kind,
        reason,
    }
}
