//! Tokens for SASL/OAUTHBEARER, by the client credentials grant. Source: RFC 6749 4.4, RFC 7628, KIP-768.
//!
//! Where tokens come from is one text among the properties, `sasl.oauthbearer.config`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use connect_core::{Error, Result};
use connect_tls::{Tls, Trust};
use serde_json::{Value, json};

use crate::{SETTING, UNAUTHORIZED, UNAVAILABLE};

/// The most that a token may take.
const LIMIT: Duration = Duration::from_secs(10);
/// An answer larger than this is none.
const LARGEST: usize = 1 << 20;
/// For tokens that do not say when they expire.
const SHORT_LIFE_MS: i64 = 60_000;

/// A token. It never prints (Invariant 7).
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    /// Milliseconds since 1970-01-01.
    pub(super) expires_ms: i64,
}

/// Client and address, as one text.
pub(super) fn config(url: &str, id: &str, secret: &str, scope: &str) -> String {
    json!({"url": url, "id": id, "secret": secret, "scope": scope}).to_string()
}

/// A new token from the endpoint of a text of [`config`]. Fails with `log.unauthorized` when the client is refused.
pub(super) async fn ask(config: &str) -> Result<Token> {
    let config: Value = serde_json::from_str(config)
        .map_err(|_| Error::new(&SETTING, "`sasl.jaas.config` is missing for OAUTHBEARER"))?;
    let part = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
    let login = STANDARD.encode(format!("{}:{}", part("id"), part("secret")));
    let mut form = "grant_type=client_credentials".to_owned();
    if !part("scope").is_empty() {
        form += &format!("&scope={}", encoded(part("scope")));
    }
    let unanswered = |err: reqwest::Error| {
        Error::new(&UNAVAILABLE, "the endpoint of tokens does not answer")
            .caused_by(err.without_url())
    };
    let request = client()?
        .post(part("url"))
        .header("Authorization", format!("Basic {login}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    let mut response = request.send().await.map_err(unanswered)?;
    if !response.status().is_success() {
        return Err(refused(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(unreadable());
        }
    }
    read(&body, now_ms()).ok_or_else(unreadable)
}

fn client() -> Result<reqwest::Client> {
    let tls = Tls {
        code: &SETTING,
        trust: Trust::Host,
        roots: None,
        certificate: None,
        key: None,
    };
    let client = reqwest::Client::builder()
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .tls_backend_preconfigured(tls.client()?)
        .build();
    client.map_err(|err| Error::new(&UNAVAILABLE, "no HTTP client can be made").caused_by(err))
}

fn refused(status: u16) -> Error {
    let code = match status {
        400 | 401 | 403 => &UNAUTHORIZED,
        _ => &UNAVAILABLE,
    };
    Error::new(
        code,
        "the endpoint of tokens gives none: look at clientId and clientSecret in `sasl.jaas.config`",
    )
    .context("status", status)
}

fn unreadable() -> Error {
    Error::new(
        &UNAVAILABLE,
        "the answer of `sasl.oauthbearer.token.endpoint.url` has no token",
    )
}

/// What an answer of the endpoint holds; the token's own claims count more than what is said beside it.
fn read(body: &[u8], now_ms: i64) -> Option<Token> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = answer.get("access_token")?.as_str()?;
    // No other characters are allowed in a token, and one of them would end it early.
    let is_token = |b: u8| b.is_ascii_graphic();
    if text.is_empty() || !text.bytes().all(is_token) {
        return None;
    }
    let claims = text.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims).ok();
    let claims: Value = claims
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or(Value::Null);
    let exp = claims.get("exp").and_then(Value::as_f64);
    let life = answer.get("expires_in").and_then(Value::as_f64);
    let expires_ms = match (exp, life) {
        (Some(exp), _) => (exp * 1000.0) as i64,
        (None, Some(life)) => now_ms.saturating_add((life * 1000.0) as i64),
        (None, None) => now_ms.saturating_add(SHORT_LIFE_MS),
    };
    Some(Token {
        text: text.to_owned(),
        expires_ms,
    })
}

/// Milliseconds since 1970-01-01.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(claims: &str) -> Vec<u8> {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        format!("{{\"access_token\":\"h.{claims}.s\",\"expires_in\":5}}").into_bytes()
    }

    #[test]
    fn claims_say_until_when() {
        let token = read(&answer("{\"sub\":\"alice\",\"exp\":100.5}"), 7).unwrap();
        assert_eq!(token.expires_ms, 100_500);
        let token = read(&answer("{}"), 7).unwrap();
        assert_eq!(token.expires_ms, 5_007);
        let token = read(b"{\"access_token\":\"opaque\"}", 7).unwrap();
        assert_eq!(token.expires_ms, 60_007);
        assert!(read(b"{\"access_token\":\"a b\"}", 7).is_none());
        assert!(read(b"{}", 7).is_none());
        assert_eq!(encoded("a b/c"), "a%20b%2Fc");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, claims: String) {
            let _ = read(&bytes, 0);
            let _ = read(&answer(&claims), i64::MAX);
        }
    }
}
