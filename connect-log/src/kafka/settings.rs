//! What users write of Kafka's clients, as the properties that clients go by.

use std::collections::{BTreeMap, BTreeSet};

use connect_core::Result;
use parking_lot::Mutex;

use super::{
    jaas, oauth,
    properties::{Effect, Properties, canonical, invalid, known},
    stores::{self, Store},
};

/// Properties by name, as the user gave them.
pub(super) type Settings = BTreeMap<String, String>;

/// What a property of the user is here.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// These properties.
    Is(Vec<(&'static str, String)>),
    /// This one, as it is known.
    Same,
    /// Nothing is lost without it.
    Silent,
    /// Cannot be honoured here; tell the user once.
    Ignored,
}

/// Adds properties, later ones over earlier ones.
///
/// Fails with `log.setting` for a value that is not allowed; names that are not known are told once and left out.
pub(super) fn apply(properties: &mut Properties, settings: &Settings) -> Result<()> {
    for (name, value) in settings {
        match meaning(name, value, settings)? {
            Meaning::Is(pairs) => {
                for (name, value) in pairs {
                    properties.set(name, value);
                }
            }
            Meaning::Same => same(properties, name, value)?,
            Meaning::Ignored => warn_once(name),
            Meaning::Silent => {}
        }
    }
    Ok(())
}

fn same(properties: &mut Properties, name: &str, value: &str) -> Result<()> {
    let one = canonical(name);
    let Some(known) = known(one) else {
        warn_once(name);
        return Ok(());
    };
    // In an error the property is called as the user calls it.
    let value = known.check(name, value)?;
    if known.effect == Effect::Honoured {
        properties.set(one, value);
    }
    Ok(())
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
        "queue.buffering.max.kbytes" => {
            let kbytes = value
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|kbytes| *kbytes > 0);
            let kbytes = kbytes.ok_or_else(|| invalid(name, "it must be a number, at least 1"))?;
            is("buffer.memory", (u64::from(kbytes) * 1024).to_string())
        }
        "auto.offset.reset" => match value.trim() {
            "smallest" | "beginning" => is("auto.offset.reset", "earliest"),
            "largest" | "end" => is("auto.offset.reset", "latest"),
            "error" => is("auto.offset.reset", "none"),
            _ => Meaning::Same,
        },
        "partition.assignment.strategy" => is("partition.assignment.strategy", assignors(value)?),
        // The mechanism tells what is wrong with such a login.
        "sasl.jaas.config" if value.contains("Krb5") => Meaning::Silent,
        "sasl.jaas.config" if value.contains("OAuthBearer") => token(value, all)?,
        "sasl.jaas.config" => {
            let (user, password) = jaas::credentials(value)?;
            Meaning::Is(vec![("sasl.username", user), ("sasl.password", password)])
        }
        _ if name.starts_with("ssl.") => tls(name, value, all)?,
        _ if IGNORED.contains(&name) => Meaning::Ignored,
        _ if SILENT.iter().any(|prefix| name.starts_with(prefix)) => Meaning::Silent,
        _ => Meaning::Same,
    })
}

/// Serializers are ours, and metrics and waiting are the runtime's; of logins and tokens other properties are read.
const SILENT: [&str; 13] = [
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
    "sasl.oauthbearer.",
    "sasl.kerberos.",
    "sasl.login.",
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

/// Java's class names and short names of assignors, as short names. Range and cooperative ones do not mix in one client, so the first
/// decides.
fn assignors(value: &str) -> Result<String> {
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
    match fitting.is_empty() {
        true => Err(invalid(
            "partition.assignment.strategy",
            "it must name RangeAssignor, RoundRobinAssignor or CooperativeStickyAssignor",
        )),
        false => Ok(fitting.join(",")),
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
        "ssl.truststore.location" => is(
            "ssl.truststore.certificates",
            store("ssl.truststore.password").trusted()?,
        ),
        "ssl.truststore.certificates" | "ssl.ca.pem" => {
            is("ssl.truststore.certificates", stores::tidy(value))
        }
        "ssl.keystore.location" => {
            let own = store("ssl.keystore.password").own(password("ssl.key.password"))?;
            Meaning::Is(vec![
                ("ssl.keystore.certificate.chain", own.chain),
                ("ssl.keystore.key", own.key),
            ])
        }
        "ssl.keystore.certificate.chain" | "ssl.certificate.pem" => {
            is("ssl.keystore.certificate.chain", stores::tidy(value))
        }
        "ssl.keystore.key" | "ssl.key.pem" => {
            let key = stores::key(name, value, password("ssl.key.password"))?;
            is("ssl.keystore.key", key)
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
mod tests;
