//! Kafka's client properties as librdkafka spells them.

use std::collections::{BTreeMap, BTreeSet};

use connect_core::{Error, Result};
use parking_lot::Mutex;
use rdkafka::{ClientConfig, error::KafkaError, types::RDKafkaConfRes};

use super::{
    jaas, oauth,
    stores::{self, Store},
};

/// Properties by name, as the user gave them.
pub(super) type Settings = BTreeMap<String, String>;

/// What a property of Kafka's Java clients is here.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// These properties of librdkafka.
    Is(Vec<(&'static str, String)>),
    /// This one, if librdkafka knows it.
    Same,
    /// Read by this crate itself.
    Ours,
    /// Of the JVM only: nothing is lost without it.
    Silent,
    /// Cannot be honoured here; tell the user once.
    Ignored,
}

/// Adds properties, later ones over earlier ones.
///
/// Fails with `log.setting` for a value that librdkafka refuses; names that it does not know are told once and left out.
pub(super) fn apply(config: &mut ClientConfig, settings: &Settings) -> Result<()> {
    for (name, value) in settings {
        match meaning(name, value, settings)? {
            Meaning::Is(pairs) => {
                for (name, value) in pairs {
                    set(config, name, &value)?;
                }
            }
            Meaning::Same => set(config, name, value)?,
            Meaning::Ignored => warn_once(name),
            Meaning::Ours | Meaning::Silent => {}
        }
    }
    Ok(())
}

/// A number among the settings; the later map wins.
pub(super) fn number(layers: [&Settings; 2], name: &'static str) -> Result<Option<u64>> {
    let Some(text) = layers.iter().rev().find_map(|layer| layer.get(name)) else {
        return Ok(None);
    };
    let parsed = text.trim().parse::<u64>().map(Some);
    parsed.map_err(|_| invalid(name, "it must be a number"))
}

fn set(config: &mut ClientConfig, name: &str, value: &str) -> Result<()> {
    let mut probe = ClientConfig::new();
    probe.set(name, value);
    match probe.create_native_config() {
        Ok(_) => {
            config.set(name, value);
            Ok(())
        }
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            warn_once(name);
            Ok(())
        }
        // Invariant 7: librdkafka's own text may hold the value, so only that of harmless properties is passed on.
        Err(_) if is_secret(name) => Err(invalid(name, "the client refuses its value")),
        Err(KafkaError::ClientConfig(_, why, ..)) => Err(invalid(name, &why)),
        Err(err) => Err(invalid(name, &err.to_string())),
    }
}

fn invalid(name: &str, why: &str) -> Error {
    Error::new(&crate::SETTING, "the Kafka client refuses a setting")
        .context("setting", name)
        .context("because", why)
}

fn is_secret(name: &str) -> bool {
    ["password", "pem", "key", "secret", "jaas", "token", "oauth"]
        .iter()
        .any(|word| name.contains(word))
}

fn warn_once(name: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // Bounded: the names come from configurations, and a flood of them is told as one.
    const MOST: usize = 256;
    let mut told = TOLD.lock();
    if told.len() < MOST && told.insert(name.to_owned()) {
        tracing::warn!(setting = name, "kafka client setting has no effect here");
    }
}

fn is(name: &'static str, value: impl Into<String>) -> Meaning {
    Meaning::Is(vec![(name, value.into())])
}

fn meaning(name: &str, value: &str, all: &Settings) -> Result<Meaning> {
    Ok(match name {
        "max.request.size" | "max.poll.records" => Meaning::Ours,
        "buffer.memory" => {
            let bytes: u64 = value
                .parse()
                .map_err(|_| invalid(name, "it must be a number"))?;
            is(
                "queue.buffering.max.kbytes",
                (bytes / 1024).max(1).to_string(),
            )
        }
        "fetch.max.wait.ms" => is("fetch.wait.max.ms", value),
        // One spelling for names that have two, or a default of ours could win over the user's value.
        "delivery.timeout.ms" => is("message.timeout.ms", value),
        "queue.buffering.max.ms" => is("linger.ms", value),
        "request.required.acks" => is("acks", value),
        "compression.codec" => is("compression.type", value),
        "send.buffer.bytes" => is("socket.send.buffer.bytes", value.replace("-1", "0")),
        "receive.buffer.bytes" => is("socket.receive.buffer.bytes", value.replace("-1", "0")),
        "auto.offset.reset" if value == "none" => is("auto.offset.reset", "error"),
        "partition.assignment.strategy" => is("partition.assignment.strategy", assignors(value)),
        // The mechanism tells what is wrong with such a login.
        "sasl.jaas.config" if value.contains("Krb5") => Meaning::Silent,
        "sasl.jaas.config" if value.contains("OAuthBearer") => token(value, all)?,
        _ if name.starts_with("sasl.oauthbearer.") => Meaning::Ours,
        "sasl.jaas.config" => {
            let (user, password) = jaas::credentials(value)?;
            Meaning::Is(vec![("sasl.username", user), ("sasl.password", password)])
        }
        "group.protocol" if value.eq_ignore_ascii_case("classic") => Meaning::Silent,
        // Ours alone to decide: offsets are committed by the runtime, never by the client.
        "enable.auto.commit" | "enable.auto.offset.store" | "auto.commit.interval.ms" => {
            Meaning::Silent
        }
        _ if name.starts_with("ssl.") => tls(name, value, all)?,
        _ if SILENT.iter().any(|prefix| name.starts_with(prefix)) => Meaning::Silent,
        _ if IGNORED.contains(&name) => Meaning::Ignored,
        _ => Meaning::Same,
    })
}

/// Serializers are ours, and metrics and waiting are the runtime's.
const SILENT: [&str; 10] = [
    "key.serializer",
    "value.serializer",
    "key.deserializer",
    "value.deserializer",
    "max.block.ms",
    "metric",
    "auto.include.jmx.reporter",
    "default.api.timeout.ms",
    "exclude.internal.topics",
    "enable.metrics.push",
];

const IGNORED: [&str; 6] = [
    "interceptor.classes",
    "partitioner.class",
    "partitioner.ignore.keys",
    "partitioner.adaptive.partitioning.enable",
    "sasl.login.callback.handler.class",
    "sasl.client.callback.handler.class",
];

/// Where tokens come from, and whose they are.
fn token(login: &str, all: &Settings) -> Result<Meaning> {
    const URL: &str = "sasl.oauthbearer.token.endpoint.url";
    let url = all.get(URL).map_or("", |url| url.trim());
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(invalid(URL, "it must be http://… or https://…"));
    }
    let part = |name| jaas::option(login, name);
    let (Some(id), Some(secret)) = (part("clientId"), part("clientSecret")) else {
        return Err(invalid(
            "sasl.jaas.config",
            "it must have clientId and clientSecret for OAUTHBEARER",
        ));
    };
    let scope = part("scope").unwrap_or_default();
    let config = oauth::config(url, &id, &secret, &scope);
    Ok(is("sasl.oauthbearer.config", config))
}

/// Java's class names and short names of assignors. Range and cooperative ones do not mix in one client, so the first decides.
fn assignors(value: &str) -> String {
    let known = value.split(',').filter_map(|name| {
        let class = name.trim().rsplit('.').next().unwrap_or_default();
        Some(match class {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "CooperativeStickyAssignor" | "StickyAssignor" | "cooperative-sticky" => {
                "cooperative-sticky"
            }
            _ => return None,
        })
    });
    let names: Vec<&str> = known.collect();
    let first_is_cooperative = names.first() == Some(&"cooperative-sticky");
    let fitting = names
        .iter()
        .filter(|name| (**name == "cooperative-sticky") == first_is_cooperative);
    let fitting: Vec<&str> = fitting.copied().collect();
    if fitting.is_empty() {
        value.to_owned()
    } else {
        fitting.join(",")
    }
}

/// Java's key and trust stores, as PEM.
fn tls(name: &str, value: &str, all: &Settings) -> Result<Meaning> {
    let password = |name: &str| all.get(name).map_or("", String::as_str);
    let store = |store: &'static str| Store {
        property: name,
        file: value,
        password: password(store),
    };
    Ok(match name {
        "ssl.truststore.location" => is("ssl.ca.pem", store("ssl.truststore.password").trusted()?),
        "ssl.truststore.certificates" => is("ssl.ca.pem", stores::tidy(value)),
        "ssl.keystore.location" => {
            let own = store("ssl.keystore.password").own(password("ssl.key.password"))?;
            Meaning::Is(vec![
                ("ssl.certificate.pem", own.chain),
                ("ssl.key.pem", own.key),
            ])
        }
        "ssl.keystore.certificate.chain" => is("ssl.certificate.pem", stores::tidy(value)),
        "ssl.keystore.key" => {
            let key = stores::key(name, value, password("ssl.key.password"))?;
            is("ssl.key.pem", key)
        }
        "ssl.endpoint.identification.algorithm" if value.trim().is_empty() => is(NAMES, "none"),
        _ if OF_JAVA.contains(&name) => Meaning::Silent,
        _ => Meaning::Same,
    })
}

const NAMES: &str = "ssl.endpoint.identification.algorithm";

/// Passwords of stores that are opened here, and what only Java's TLS has.
const OF_JAVA: [&str; 13] = [
    "ssl.truststore.type",
    "ssl.keystore.type",
    "ssl.truststore.password",
    "ssl.keystore.password",
    "ssl.key.password",
    "ssl.protocol",
    "ssl.provider",
    "ssl.enabled.protocols",
    "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm",
    "ssl.secure.random.implementation",
    "ssl.engine.factory.class",
    "ssl.cipher.suites",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(pairs: &[(&str, &str)]) -> Result<ClientConfig> {
        let settings = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let mut config = ClientConfig::new();
        apply(&mut config, &settings.collect())?;
        Ok(config)
    }

    #[test]
    fn java_names_become_those_of_librdkafka() {
        let config = applied(&[
            ("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"),
            ("max.block.ms", "9223372036854775807"),
            ("delivery.timeout.ms", "2147483647"),
            ("buffer.memory", "33554432"),
            ("fetch.max.wait.ms", "100"),
            ("auto.offset.reset", "none"),
            ("no.such.thing", "1"),
            ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
            ("sasl.jaas.config", "x.PlainLoginModule required username=\"a\" password=\"b\";"),
        ])
        .unwrap();
        for (name, value) in [
            ("queue.buffering.max.kbytes", Some("32768")),
            ("message.timeout.ms", Some("2147483647")),
            ("fetch.wait.max.ms", Some("100")),
            ("auto.offset.reset", Some("error")),
            ("partition.assignment.strategy", Some("range")),
            ("sasl.username", Some("a")),
            ("sasl.password", Some("b")),
            ("key.serializer", None),
            ("no.such.thing", None),
        ] {
            assert_eq!(config.get(name), value, "{name}");
        }
    }

    #[test]
    fn a_value_that_librdkafka_refuses_is_a_setting_error() {
        for pair in [
            ("linger.ms", "soon"),
            ("buffer.memory", "x"),
            ("ssl.truststore.location", "a.jks"),
        ] {
            let err = applied(&[pair]).unwrap_err();
            assert_eq!(err.code(), &crate::SETTING, "{pair:?}");
            assert!(err.to_string().contains(pair.0), "{err}");
        }
    }
}
