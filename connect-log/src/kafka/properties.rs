//! A client's properties, and what each of them may be.

use std::{collections::BTreeMap, fmt, str::FromStr};

use connect_core::{Error, Result};

/// Properties that have been checked, by the names of Kafka's Java clients. Their values never print (Invariant 7).
#[derive(Clone, Default)]
pub(super) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// What was set last.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(canonical(name)).map(String::as_str)
    }

    /// A number that was checked when it was set.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// Sets what is known to hold.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(canonical(name).to_owned(), value.into());
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A property that this log knows.
pub(super) struct Known {
    kind: Kind,
    pub(super) effect: Effect,
}

/// What values a property takes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Flag,
    /// From the first to the second.
    Number(i64, i64),
    OneOf(&'static [&'static str]),
}

/// What becomes of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It does what it says.
    Honoured,
    /// It changes nothing, and nothing is lost without it.
    Silent,
}

use Effect::{Honoured, Silent};
use Kind::{Flag, Number, OneOf, Text};

const INT: i64 = i32::MAX as i64;
const LONG: i64 = i64::MAX;

/// Of all clients.
const SHARED: [(&str, Kind, Effect); 33] = [
    ("bootstrap.servers", Text, Honoured),
    ("client.id", Text, Honoured),
    (
        "security.protocol",
        OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]),
        Honoured,
    ),
    ("sasl.mechanism", Text, Honoured),
    ("sasl.username", Text, Honoured),
    ("sasl.password", Text, Honoured),
    ("sasl.oauthbearer.config", Text, Honoured),
    ("ssl.ca.location", Text, Honoured),
    ("ssl.certificate.location", Text, Honoured),
    ("ssl.key.location", Text, Honoured),
    ("ssl.truststore.certificates", Text, Honoured),
    ("ssl.keystore.certificate.chain", Text, Honoured),
    ("ssl.keystore.key", Text, Honoured),
    (
        "ssl.endpoint.identification.algorithm",
        OneOf(&["https", "none"]),
        Honoured,
    ),
    ("enable.ssl.certificate.verification", Flag, Honoured),
    ("request.timeout.ms", Number(1, INT), Honoured),
    ("socket.timeout.ms", Number(1, INT), Honoured),
    (
        "socket.connection.setup.timeout.ms",
        Number(1, INT),
        Honoured,
    ),
    ("metadata.max.age.ms", Number(0, LONG), Honoured),
    (
        "socket.connection.setup.timeout.max.ms",
        Number(1, INT),
        Silent,
    ),
    ("connections.max.idle.ms", Number(-1, LONG), Silent),
    ("reconnect.backoff.ms", Number(0, INT), Silent),
    ("reconnect.backoff.max.ms", Number(0, INT), Silent),
    ("retry.backoff.ms", Number(0, INT), Honoured),
    ("retry.backoff.max.ms", Number(0, INT), Silent),
    ("send.buffer.bytes", Number(-1, INT), Silent),
    ("receive.buffer.bytes", Number(-1, INT), Silent),
    ("socket.nagle.disable", Flag, Silent),
    ("socket.keepalive.enable", Flag, Silent),
    ("client.dns.lookup", Text, Silent),
    ("metadata.recovery.strategy", Text, Silent),
    (
        "metadata.recovery.rebootstrap.trigger.ms",
        Number(0, LONG),
        Silent,
    ),
    ("security.providers", Text, Silent),
];

/// Of producers. What ours does anyway (all acknowledgements, idempotence, no waiting) has no effect.
const PRODUCER: [(&str, Kind, Effect); 16] = [
    (
        "compression.type",
        OneOf(&["none", "gzip", "snappy", "lz4", "zstd"]),
        Honoured,
    ),
    ("batch.size", Number(1, INT), Honoured),
    ("buffer.memory", Number(1, LONG), Honoured),
    ("delivery.timeout.ms", Number(1, INT), Honoured),
    ("max.request.size", Number(0, LONG), Honoured),
    ("transaction.timeout.ms", Number(1, INT), Honoured),
    ("transactional.id", Text, Honoured),
    ("acks", OneOf(&["all", "-1", "0", "1"]), Silent),
    ("enable.idempotence", Flag, Silent),
    ("linger.ms", Number(0, INT), Silent),
    (
        "max.in.flight.requests.per.connection",
        Number(1, INT),
        Silent,
    ),
    ("metadata.max.idle.ms", Number(0, LONG), Silent),
    ("retries", Number(0, INT), Silent),
    ("compression.gzip.level", Number(-1, INT), Silent),
    ("compression.lz4.level", Number(-1, INT), Silent),
    ("compression.zstd.level", Number(-INT, INT), Silent),
];

/// Of consumers. Offsets are committed by the runtime, never by the client, and it says the group.
const CONSUMER: [(&str, Kind, Effect); 21] = [
    ("allow.auto.create.topics", Flag, Honoured),
    (
        "auto.offset.reset",
        OneOf(&["earliest", "latest", "none"]),
        Honoured,
    ),
    ("check.crcs", Flag, Honoured),
    ("client.rack", Text, Honoured),
    ("fetch.max.bytes", Number(0, INT), Honoured),
    ("fetch.max.wait.ms", Number(0, INT), Honoured),
    ("fetch.min.bytes", Number(0, INT), Honoured),
    ("group.instance.id", Text, Honoured),
    ("heartbeat.interval.ms", Number(1, INT), Honoured),
    (
        "isolation.level",
        OneOf(&["read_committed", "read_uncommitted"]),
        Honoured,
    ),
    ("max.partition.fetch.bytes", Number(0, INT), Honoured),
    ("max.poll.interval.ms", Number(1, INT), Honoured),
    ("max.poll.records", Number(1, INT), Honoured),
    ("partition.assignment.strategy", Text, Honoured),
    // librdkafka's, for what lies and waits to be polled.
    ("queued.max.messages.kbytes", Number(1, INT), Honoured),
    ("session.timeout.ms", Number(1, INT), Honoured),
    ("group.id", Text, Silent),
    ("group.protocol", OneOf(&["classic"]), Silent),
    ("enable.auto.commit", Flag, Silent),
    ("enable.auto.offset.store", Flag, Silent),
    ("auto.commit.interval.ms", Number(0, INT), Silent),
];

/// What is known of a property by its one name.
pub(super) fn known(name: &str) -> Option<Known> {
    let mut all = SHARED.iter().chain(&PRODUCER).chain(&CONSUMER);
    let (_, kind, effect) = all.find(|(known, ..)| *known == name)?;
    Some(Known {
        kind: *kind,
        effect: *effect,
    })
}

impl Known {
    /// The value in its one spelling. Fails with `log.setting`, and with what is allowed.
    pub(super) fn check(&self, name: &str, value: &str) -> Result<String> {
        let trimmed = value.trim();
        match self.kind {
            // A password may begin with a blank.
            Text => return Ok(value.to_owned()),
            Flag => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" => return Ok("true".to_owned()),
                "false" | "0" => return Ok("false".to_owned()),
                _ => {}
            },
            Number(least, most) => {
                let number = trimmed.parse::<i64>().ok();
                if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
                    return Ok(number.to_string());
                }
            }
            OneOf(choices) => {
                let mut choices = choices.iter();
                if let Some(choice) = choices.find(|one| one.eq_ignore_ascii_case(trimmed)) {
                    return Ok((*choice).to_owned());
                }
            }
        }
        Err(invalid(name, &self.kind.to_string()))
    }
}

/// What is allowed.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Text => f.write_str("it must be a text"),
            Flag => f.write_str("it must be true or false"),
            Number(least, LONG) => write!(f, "it must be a number, at least {least}"),
            Number(least, most) => write!(f, "it must be a number from {least} to {most}"),
            OneOf([only]) => write!(f, "it must be {only}"),
            OneOf(choices) => write!(f, "it must be one of {}", choices.join(", ")),
        }
    }
}

/// A value that is refused. It is not in the error: what stands where it should not may be a secret.
pub(super) fn invalid(name: &str, why: &str) -> Error {
    Error::new(&crate::SETTING, "the Kafka client refuses a setting")
        .context("setting", name)
        .context("because", why)
}

/// The one name of a property that has two. librdkafka's are understood where people have used them.
pub(super) fn canonical(name: &str) -> &str {
    match name {
        "compression.codec" => "compression.type",
        "fetch.message.max.bytes" => "max.partition.fetch.bytes",
        "fetch.wait.max.ms" => "fetch.max.wait.ms",
        "max.in.flight" => "max.in.flight.requests.per.connection",
        "message.send.max.retries" => "retries",
        "message.timeout.ms" => "delivery.timeout.ms",
        "queue.buffering.max.ms" => "linger.ms",
        "request.required.acks" => "acks",
        "sasl.mechanisms" => "sasl.mechanism",
        "socket.receive.buffer.bytes" => "receive.buffer.bytes",
        "socket.send.buffer.bytes" => "send.buffer.bytes",
        "ssl.ca.pem" => "ssl.truststore.certificates",
        "ssl.certificate.pem" => "ssl.keystore.certificate.chain",
        "ssl.key.pem" => "ssl.keystore.key",
        "topic.metadata.refresh.interval.ms" => "metadata.max.age.ms",
        _ => name,
    }
}
