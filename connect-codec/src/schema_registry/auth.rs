//! Who we are to the registry.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};

use super::declared::Declared;

const SOURCE: &str = "basic.auth.credentials.source";
const USER_INFO: &str = "basic.auth.user.info";
const OLD_USER_INFO: &str = "schema.registry.basic.auth.user.info";
const BEARER: &str = "bearer.auth.credentials.source";
const TOKEN: &str = "bearer.auth.token";
const HEADER: &str = "request.header.";

/// Takes the login out of the URLs, and gives the headers of every request.
pub(super) fn headers(declared: &mut Declared<'_>, urls: &mut [Url]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut of_urls = None;
    for url in urls {
        if !url.username().is_empty() {
            let password = url.password().unwrap_or_default();
            of_urls.get_or_insert_with(|| format!("{}:{password}", url.username()));
        }
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    if let Some(login) = login(declared, of_urls.as_deref()) {
        put(declared, &mut headers, AUTHORIZATION, &login);
    }
    cluster(declared, &mut headers);
    let given = declared.given.iter();
    for (name, value) in given.filter_map(|(name, v)| Some((name.strip_prefix(HEADER)?, v))) {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(header) => put(declared, &mut headers, header, value),
            Err(_) => declared.invalid(
                &format!("{HEADER}{name}"),
                "[hidden]",
                "no header has such a name",
            ),
        }
    }
    headers
}

/// The value of `Authorization`.
fn login(declared: &mut Declared<'_>, of_urls: Option<&str>) -> Option<String> {
    if let Some(source) = declared.text(BEARER) {
        if source != "STATIC_TOKEN" {
            let why = "Only STATIC_TOKEN, with bearer.auth.token, is supported";
            declared.invalid(BEARER, source, why);
            return None;
        }
        let token = declared.text(TOKEN);
        if token.is_none() {
            declared.invalid(TOKEN, "", "A token is needed with STATIC_TOKEN");
        }
        return token.map(|token| format!("Bearer {token}"));
    }
    let given = declared.text(USER_INFO).or(declared.text(OLD_USER_INFO));
    let source = declared.text(SOURCE).unwrap_or("URL");
    let login = match source {
        "URL" => of_urls.map(decoded),
        "USER_INFO" => {
            if given.is_none() {
                declared.invalid(USER_INFO, "", "USER_INFO needs user:password here");
            }
            given.map(str::to_owned)
        }
        "SASL_INHERIT" => inherited(declared),
        _ => {
            declared.invalid(
                SOURCE,
                source,
                "Must be one of URL, USER_INFO, SASL_INHERIT",
            );
            None
        }
    };
    login.map(|login| format!("Basic {}", STANDARD.encode(login)))
}

/// The user and password of `sasl.jaas.config`, which has to stand among the converter's properties.
fn inherited(declared: &mut Declared<'_>) -> Option<String> {
    let config = declared.text("sasl.jaas.config").unwrap_or_default();
    let part = |name: &str| {
        let rest = config.split_once(&format!("{name}=\""))?.1;
        rest.split_once('"').map(|(value, _)| value)
    };
    match (part("username"), part("password")) {
        (Some(user), Some(password)) => Some(format!("{user}:{password}")),
        _ => {
            let why = "SASL_INHERIT needs sasl.jaas.config with username=\"…\" and password=\"…\" beside it";
            declared.invalid(SOURCE, "SASL_INHERIT", why);
            None
        }
    }
}

/// What Confluent Cloud wants beside a token.
fn cluster(declared: &mut Declared<'_>, headers: &mut HeaderMap) {
    let pairs = [
        ("bearer.auth.logical.cluster", "target-sr-cluster"),
        ("bearer.auth.identity.pool.id", "confluent-identity-pool-id"),
    ];
    for (property, header) in pairs {
        if let Some(value) = declared.text(property) {
            put(declared, headers, HeaderName::from_static(header), value);
        }
    }
}

fn put(declared: &mut Declared<'_>, headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(mut value) => {
            // Invariant 7: secrets never print.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Err(_) => declared.invalid(
            name.as_str(),
            "[hidden]",
            "it has characters that no header may have",
        ),
    }
}

/// Percent signs of a URL's login undone.
fn decoded(login: &str) -> String {
    let mut bytes = Vec::with_capacity(login.len());
    let mut rest = login.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::Properties;

    fn authorization(given: &[(&str, &str)], url: &str) -> Result<String, String> {
        let given: Properties = (given.iter())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut declared = Declared::new(&given);
        let mut urls = [Url::parse(url).unwrap()];
        let headers = headers(&mut declared, &mut urls);
        assert!(urls[0].username().is_empty());
        if let Some(finding) = declared.findings.first() {
            return Err(finding.message.clone());
        }
        let value = headers.get(AUTHORIZATION);
        Ok(value.map_or(String::new(), |v| v.to_str().unwrap().to_owned()))
    }

    #[test]
    fn logins_come_from_where_the_properties_say() {
        let basic = |login: &str| Ok(format!("Basic {}", STANDARD.encode(login)));
        assert_eq!(authorization(&[], "http://h"), Ok(String::new()));
        assert_eq!(authorization(&[], "http://u:p%40s@h"), basic("u:p@s"));
        let user = [(SOURCE, "USER_INFO"), (USER_INFO, "a:b")];
        assert_eq!(authorization(&user, "http://h"), basic("a:b"));
        let jaas = "org.Module required username=\"x\" password=\"y\";";
        let sasl = [(SOURCE, "SASL_INHERIT"), ("sasl.jaas.config", jaas)];
        assert_eq!(authorization(&sasl, "http://h"), basic("x:y"));
        let bearer = [(BEARER, "STATIC_TOKEN"), (TOKEN, "t")];
        assert_eq!(authorization(&bearer, "http://h"), Ok("Bearer t".into()));
        for bad in [
            (SOURCE, "USER_INFO"),
            (SOURCE, "SASL_INHERIT"),
            (SOURCE, "X"),
            (BEARER, "OAUTHBEARER"),
        ] {
            assert!(authorization(&[bad], "http://h").is_err(), "{bad:?}");
        }
    }
}
