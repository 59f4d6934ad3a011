//! The properties of every converter with a registry, under Confluent's names.

use std::time::Duration;

use connect_core::{
    Finding,
    config::{
        Importance::{self, High, Low, Medium},
        Key, Kind,
    },
};
use reqwest::Url;

use super::{
    auth,
    client::Client,
    declared::{self, Declared, Line},
    nodes::Nodes,
    subject::Strategy,
    tls,
};
use crate::{
    json::{DEFAULT_UNAVAILABLE, UNAVAILABLE},
    keys::converter_type,
};

/// What the three formats have in common.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `auto.register.schemas`: whether schemas are registered, or have to be there.
    pub(crate) register: bool,
    /// `use.latest.version`: without registering, the newest schema of the subject is written.
    pub(crate) latest: bool,
    /// `use.schema.id`: without registering, this schema is written.
    pub(crate) fixed: Option<u32>,
    /// `latest.compatibility.strict`, `id.compatibility.strict`: whether the schema that is written must take all values.
    pub(crate) strict: bool,
    /// `key.subject.name.strategy` or `value.subject.name.strategy`.
    pub(crate) strategy: Strategy,
    /// `schemas.cache.config`: how many schemas are kept.
    pub(crate) cache: usize,
    /// `ignore.default.for.nullables`: whether a null stays null though its schema has a default.
    pub(crate) keep_nulls: bool,
    /// `unavailable.value.placeholder`: what reads as an absent value inside structs; `None` for nothing.
    pub(crate) unavailable: Option<String>,
}

const URL: &str = "schema.registry.url";
const KEY_STRATEGY: &str = "key.subject.name.strategy";
const VALUE_STRATEGY: &str = "value.subject.name.strategy";
const TOPIC_STRATEGY: &str = "io.confluent.kafka.serializers.subject.TopicNameStrategy";

#[rustfmt::skip]
const LINES: &[Line] = &[
    ("auto.register.schemas", Kind::Boolean, Some("true"), Medium, "Whether schemas are registered that the registry does not have."),
    ("use.latest.version", Kind::Boolean, Some("false"), Low, "With auto.register.schemas=false: values are written with the newest schema of the subject."),
    ("use.schema.id", Kind::Int, Some("-1"), Low, "With auto.register.schemas=false: values are written with the schema of this number."),
    ("normalize.schemas", Kind::Boolean, Some("false"), Low, "Whether the registry normalizes schemas, so that an order that means nothing makes no new version."),
    ("latest.compatibility.strict", Kind::Boolean, Some("true"), Low, "Whether the newest schema must take every value that the connector's schema allows."),
    ("id.compatibility.strict", Kind::Boolean, Some("true"), Low, "The same for the schema that use.schema.id names."),
    (KEY_STRATEGY, Kind::Class, Some(TOPIC_STRATEGY), Medium, "How subjects of keys are named: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy."),
    (VALUE_STRATEGY, Kind::Class, Some(TOPIC_STRATEGY), Medium, "How subjects of values are named."),
    ("schemas.cache.config", Kind::Int, Some("1000"), Low, "How many schemas are kept."),
    ("ignore.default.for.nullables", Kind::Boolean, Some("false"), Medium, "Whether a null stays null where the schema has a default."),
    ("basic.auth.credentials.source", Kind::String, Some("URL"), Medium, "Where the login is: URL (in schema.registry.url), USER_INFO, or SASL_INHERIT (in sasl.jaas.config beside it)."),
    ("basic.auth.user.info", Kind::Password, None, Medium, "user:password, with USER_INFO."),
    ("bearer.auth.credentials.source", Kind::String, None, Medium, "STATIC_TOKEN sends a bearer token instead."),
    ("bearer.auth.token", Kind::Password, None, Medium, "The bearer token."),
    ("bearer.auth.logical.cluster", Kind::String, None, Low, "The header target-sr-cluster, which Confluent Cloud wants beside a token."),
    ("bearer.auth.identity.pool.id", Kind::String, None, Low, "The header confluent-identity-pool-id."),
    ("schema.registry.ssl.truststore.location", Kind::String, None, Medium, "Authorities of the registry's certificate, in PEM; those of the system without it."),
    ("schema.registry.ssl.truststore.certificates", Kind::Password, None, Medium, "The same as text."),
    ("schema.registry.ssl.truststore.type", Kind::String, None, Low, "PEM; Java's stores are not read."),
    ("schema.registry.ssl.keystore.location", Kind::String, None, Medium, "The client's certificate and key, in PEM."),
    ("schema.registry.ssl.keystore.certificate.chain", Kind::Password, None, Medium, "The client's certificate as text."),
    ("schema.registry.ssl.keystore.key", Kind::Password, None, Medium, "The client's key as text, not encrypted."),
    ("schema.registry.ssl.keystore.type", Kind::String, None, Low, "PEM; Java's stores are not read."),
    ("schema.registry.ssl.endpoint.identification.algorithm", Kind::String, Some("https"), Low, "Empty: any name in the registry's certificate will do."),
    ("http.connect.timeout.ms", Kind::Int, Some("60000"), Low, "How long a connection to the registry may take."),
    ("http.read.timeout.ms", Kind::Int, Some("60000"), Low, "How long an answer of the registry may take."),
    (UNAVAILABLE, Kind::String, Some(DEFAULT_UNAVAILABLE), Low, "The text that a source writes for a value its database did not send. Sinks read such a field as absent; empty for none."),
];

impl Settings {
    /// Parses the properties, with those of the format in `declared`; what does not hold is noted there.
    pub(crate) fn parse(declared: &mut Declared<'_>, is_key: bool) -> Self {
        let of_keys = strategy(declared, KEY_STRATEGY);
        let of_values = strategy(declared, VALUE_STRATEGY);
        let latest_strict = declared.read(LINES, "latest.compatibility.strict", true);
        let id_strict = declared.read(LINES, "id.compatibility.strict", true);
        let fixed: i32 = declared.read(LINES, "use.schema.id", -1);
        let cache: i32 = declared.read(LINES, "schemas.cache.config", 1000);
        let unavailable: String = declared.read(LINES, UNAVAILABLE, String::new());
        Self {
            register: declared.read(LINES, "auto.register.schemas", true),
            latest: declared.read(LINES, "use.latest.version", false),
            fixed: u32::try_from(fixed).ok(),
            strict: if fixed >= 0 { id_strict } else { latest_strict },
            strategy: if is_key { of_keys } else { of_values },
            cache: usize::try_from(cache).unwrap_or(0).max(1),
            keep_nulls: declared.read(LINES, "ignore.default.for.nullables", false),
            unavailable: Some(unavailable).filter(|text| !text.is_empty()),
        }
    }

    /// The client that the properties describe; `None` when something does not hold, which is noted.
    pub(crate) fn client(&self, declared: &mut Declared<'_>) -> Option<Client> {
        let mut urls = urls(declared);
        let headers = auth::headers(declared, &mut urls);
        let connect: i32 = declared.read(LINES, "http.connect.timeout.ms", 60_000);
        let read: i32 = declared.read(LINES, "http.read.timeout.ms", 60_000);
        let normalize = declared.read(LINES, "normalize.schemas", false);
        let millis = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1));
        let secure = urls.iter().any(|url| url.scheme() == "https");
        let tls = tls::client(declared, secure)?;
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(millis(connect))
            .timeout(millis(read))
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .tls_backend_preconfigured(tls)
            .build();
        match http {
            Ok(http) => Some(Client::new(http, Nodes::new(urls), normalize, self.cache)),
            Err(error) => {
                declared
                    .findings
                    .push(Finding::error(URL, error.to_string()));
                None
            }
        }
    }
}

/// The properties, and those of the format after them.
pub(crate) fn keys(of_format: &[Line]) -> Vec<Key> {
    let url = Key {
        required: true,
        ..line(
            URL,
            Kind::List,
            High,
            "The registry's addresses, separated by commas: one is used until it fails, then the next.",
        )
    };
    let mut keys = vec![converter_type(), url];
    keys.extend(declared::keys(LINES));
    keys.extend(declared::keys(of_format));
    keys
}

fn line(
    name: &'static str,
    kind: Kind,
    importance: Importance,
    documentation: &'static str,
) -> Key {
    let line = [(name, kind, None, importance, documentation)];
    declared::keys(&line).next().unwrap_or_else(converter_type)
}

fn strategy(declared: &mut Declared<'_>, property: &str) -> Strategy {
    let class: String = declared.read(LINES, property, TOPIC_STRATEGY.to_owned());
    Strategy::of_class(&class).unwrap_or_else(|| {
        let why = "Must be TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy";
        declared.invalid(property, &class, why);
        Strategy::Topic
    })
}

fn urls(declared: &mut Declared<'_>) -> Vec<Url> {
    let Some(given) = declared.text(URL) else {
        declared.findings.push(Finding::missing(URL));
        return Vec::new();
    };
    let mut urls = Vec::new();
    for text in given
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => urls.push(url),
            _ => declared.invalid(URL, text, "Must be http://host:port or https://host:port"),
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::Properties;

    fn findings(given: &[(&str, &str)]) -> Vec<String> {
        let given: Properties = (given.iter())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut declared = Declared::new(&given);
        let settings = Settings::parse(&mut declared, false);
        let _ = settings.client(&mut declared);
        declared
            .findings
            .into_iter()
            .map(|finding| finding.key)
            .collect()
    }

    #[test]
    fn all_findings_are_told_at_once() {
        let given = [
            (URL, "ftp://h, http://u:p@h:1"),
            ("auto.register.schemas", "perhaps"),
            (VALUE_STRATEGY, "com.example.Mine"),
            ("basic.auth.credentials.source", "MAGIC"),
            ("schema.registry.ssl.truststore.location", "/a/b.jks"),
        ];
        let expected = [
            VALUE_STRATEGY,
            "auto.register.schemas",
            URL,
            "basic.auth.credentials.source",
            "schema.registry.ssl.truststore.location",
        ];
        assert_eq!(findings(&given), expected);
        assert_eq!(findings(&[]), [URL]);
        assert!(findings(&[(URL, "http://h:1,https://i:2/path")]).is_empty());
    }
}
