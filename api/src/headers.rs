//! Headers of every answer: those of `response.http.headers.config`, and those that let pages of other origins in (CORS).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use connect_core::{Error, Result, config::List};

use crate::settings::RestConfig;

/// How long a page may remember what it may do.
const REMEMBER_S: &str = "1800";
/// Headers that pages may send.
const MAY_SEND: &str = "X-Requested-With,Content-Type,Accept,Origin,Authorization";
/// Methods that pages may use where none are named, as in Kafka Connect.
const MAY_USE: &str = "GET,POST,HEAD";

/// What is added to answers.
pub(crate) struct Headers {
    fixed: Vec<Fixed>,
    origins: Vec<String>,
    methods: String,
}

/// A header of `response.http.headers.config`.
#[derive(Debug, PartialEq)]
struct Fixed {
    name: HeaderName,
    value: HeaderValue,
    adds: bool,
}

impl Headers {
    /// Reads the properties.
    pub(crate) fn new(config: &RestConfig) -> Result<Self> {
        let List(methods) = &config.cors_methods;
        Ok(Self {
            fixed: parse(config.headers.as_deref().unwrap_or_default())?,
            origins: config.cors_origins.0.clone(),
            methods: match methods.is_empty() {
                true => MAY_USE.to_owned(),
                false => methods.join(","),
            },
        })
    }

    /// The origin of a page that may see the answer.
    fn origin(&self, request: &Request) -> Option<HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        let fits = |allowed: &String| allowed == "*" || allowed.eq_ignore_ascii_case(text);
        self.origins.iter().any(fits).then(|| origin.clone())
    }

    fn add_fixed(&self, headers: &mut HeaderMap) {
        for Fixed { name, value, adds } in &self.fixed {
            if *adds {
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// Answers what pages ask before their request, and adds the headers to everything else.
pub(crate) async fn around(
    State(all): State<Arc<Headers>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = all.origin(&request);
    let asks = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = if origin.is_some() && request.method() == Method::OPTIONS && asks {
        let told = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, all.methods.clone()),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND.to_owned()),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBER_S.to_owned()),
        ];
        (StatusCode::OK, told).into_response()
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    all.add_fixed(headers);
    answer
}

/// `set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store"`: an item with a comma stands in quotes.
fn parse(text: &str) -> Result<Vec<Fixed>> {
    let wrong = |item: &str| {
        Error::config(format!(
            "response.http.headers.config: {item:?} is not `add|set|addDate|setDate NAME:VALUE`"
        ))
    };
    items(text)
        .iter()
        .map(|item| one(item).ok_or_else(|| wrong(item)))
        .collect()
}

fn items(text: &str) -> Vec<String> {
    let (mut all, mut item, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    all.push(item);
    let trimmed = all.iter().map(|item| item.trim().to_owned());
    trimmed.filter(|item| !item.is_empty()).collect()
}

fn one(item: &str) -> Option<Fixed> {
    let (action, rest) = item.split_once(char::is_whitespace)?;
    let (name, value) = rest.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let (adds, is_date) = match action.to_ascii_lowercase().as_str() {
        "add" => (true, false),
        "set" => (false, false),
        "adddate" => (true, true),
        "setdate" => (false, true),
        _ => return None,
    };
    let value = match is_date {
        true => date(value.parse().ok()?)?,
        false => value.to_owned(),
    };
    Some(Fixed {
        name: name.parse().ok()?,
        value: HeaderValue::from_str(&value).ok()?,
        adds,
    })
}

/// Milliseconds since 1970 as HTTP has dates.
fn date(milliseconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
    Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let text = r#"add Cache-Control: no-cache, "set X-A: b, c", setDate Expires:0"#;
        let read = parse(text).unwrap();
        let shown: Vec<_> = read
            .iter()
            .map(|f| (f.name.as_str(), f.value.to_str().unwrap(), f.adds))
            .collect();
        assert_eq!(
            shown,
            [
                ("cache-control", "no-cache", true),
                ("x-a", "b, c", false),
                ("expires", "Thu, 01 Jan 1970 00:00:00 GMT", false),
            ]
        );
        assert!(parse("").unwrap().is_empty());
        for bad in [
            "X: y",
            "put X: y",
            "set X",
            "set \u{e9}: y",
            "setDate X: soon",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
