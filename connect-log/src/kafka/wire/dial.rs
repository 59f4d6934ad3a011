//! How to connect to brokers: what the clients' settings say of it.

use std::time::Duration;

use connect_core::{Error, Result};
use kafka_protocol::protocol::StrBytes;
use rdkafka::ClientConfig;

/// How to connect.
#[derive(Debug, Clone)]
pub(in crate::kafka) struct Dial {
    pub(in crate::kafka) client_id: StrBytes,
    /// User and password for SASL/PLAIN.
    pub(in crate::kafka) plain: Option<Credentials>,
    /// The most that connecting may take.
    pub(in crate::kafka) setup: Duration,
    /// The most that an answer may take.
    pub(in crate::kafka) answer: Duration,
}

/// A user. Its password never prints (Invariant 7).
#[derive(Clone)]
pub(in crate::kafka) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Dial {
    /// Reads librdkafka's names, as the rest of this log has them.
    pub(in crate::kafka) fn read(config: &ClientConfig) -> Result<Self> {
        let number = |name: &str| config.get(name).and_then(|text| text.trim().parse().ok());
        let setup = number("socket.connection.setup.timeout.ms").unwrap_or(10_000);
        let answer = number("request.timeout.ms").or_else(|| number("socket.timeout.ms"));
        let client_id = config.get("client.id").unwrap_or_default();
        Ok(Self {
            client_id: StrBytes::from_string(client_id.to_owned()),
            plain: credentials(config)?,
            setup: Duration::from_millis(setup),
            answer: Duration::from_millis(answer.unwrap_or(30_000)),
        })
    }
}

fn credentials(config: &ClientConfig) -> Result<Option<Credentials>> {
    let protocol = config
        .get("security.protocol")
        .unwrap_or("plaintext")
        .to_ascii_lowercase();
    let mechanism = config
        .get("sasl.mechanism")
        .or(config.get("sasl.mechanisms"));
    let refused = |name, value: &str| {
        Error::new(
            &crate::SETTING,
            "this build connects to Kafka without TLS, and logs in with SASL/PLAIN only",
        )
        .context("setting", name)
        .context("value", value)
    };
    match protocol.as_str() {
        "plaintext" => Ok(None),
        "sasl_plaintext" => match mechanism {
            Some("PLAIN") => Ok(Some(Credentials {
                user: config.get("sasl.username").unwrap_or_default().to_owned(),
                password: config.get("sasl.password").unwrap_or_default().to_owned(),
            })),
            other => Err(refused("sasl.mechanism", other.unwrap_or("GSSAPI"))),
        },
        other => Err(refused("security.protocol", other)),
    }
}
