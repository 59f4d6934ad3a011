//! How to connect to brokers: what the clients' settings say of it.

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Result, secret::Secret};
use kafka_protocol::protocol::StrBytes;

use super::{
    secure::Secure,
    tokens::{self, Tokens},
};
use crate::kafka::properties::Properties;

/// How to connect.
#[derive(Debug, Clone)]
pub(in crate::kafka) struct Dial {
    pub(in crate::kafka) client_id: StrBytes,
    /// `None` without TLS.
    pub(super) tls: Option<Arc<Secure>>,
    /// `None` without SASL.
    pub(super) login: Option<Login>,
    /// The most that connecting may take.
    pub(in crate::kafka) setup: Duration,
    /// The most that an answer may take.
    pub(in crate::kafka) answer: Duration,
}

/// Who we are, and how we prove it.
#[derive(Debug, Clone)]
pub(in crate::kafka) enum Login {
    Password(Mechanism, Credentials),
    Token(Arc<Tokens>),
}

/// `sasl.mechanism` of users with passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kafka) enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

/// A user. Its password never prints (Invariant 7).
#[derive(Debug, Clone)]
pub(in crate::kafka) struct Credentials {
    pub(super) user: String,
    pub(super) password: Secret,
}

impl Dial {
    /// Reads the properties of connections, and the files that they name.
    pub(in crate::kafka) fn read(config: &Properties) -> Result<Self> {
        let setup = config.number("socket.connection.setup.timeout.ms");
        let answer = config.number("request.timeout.ms");
        let answer = answer.or_else(|| config.number("socket.timeout.ms"));
        let client_id = config.get("client.id").unwrap_or_default();
        let (with_tls, with_login) = protocol(config)?;
        Ok(Self {
            client_id: StrBytes::from_string(client_id.to_owned()),
            login: if with_login {
                Some(login(config)?)
            } else {
                None
            },
            tls: match with_tls {
                true => Some(Arc::new(Secure::read(config)?)),
                false => None,
            },
            setup: Duration::from_millis(setup.unwrap_or(10_000)),
            answer: Duration::from_millis(answer.unwrap_or(30_000)),
        })
    }
}

/// Whether there is TLS, and whether there is SASL.
fn protocol(config: &Properties) -> Result<(bool, bool)> {
    let protocol = config.get("security.protocol").unwrap_or("plaintext");
    match protocol.trim().to_ascii_lowercase().as_str() {
        "plaintext" => Ok((false, false)),
        "ssl" => Ok((true, false)),
        "sasl_plaintext" => Ok((false, true)),
        "sasl_ssl" => Ok((true, true)),
        _ => Err(Error::new(
            &crate::SETTING,
            "`security.protocol` is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        )
        .context("found", protocol)),
    }
}

fn login(config: &Properties) -> Result<Login> {
    let mechanism = config.get("sasl.mechanism");
    // Kafka's default.
    let mechanism = mechanism.unwrap_or("GSSAPI");
    if mechanism == tokens::MECHANISM {
        return Ok(Login::Token(Arc::new(Tokens::read(config)?)));
    }
    let mechanism = Mechanism::named(mechanism)?;
    let user = config.get("sasl.username").unwrap_or_default();
    if user.is_empty() {
        return Err(Error::new(
            &crate::SETTING,
            "`sasl.jaas.config` is missing: it names the user and the password of the login",
        ));
    }
    let credentials = Credentials {
        user: user.to_owned(),
        password: Secret::new(config.get("sasl.password").unwrap_or_default()),
    };
    Ok(Login::Password(mechanism, credentials))
}

impl Mechanism {
    fn named(name: &str) -> Result<Self> {
        match name {
            "PLAIN" => Ok(Self::Plain),
            "SCRAM-SHA-256" => Ok(Self::ScramSha256),
            "SCRAM-SHA-512" => Ok(Self::ScramSha512),
            _ => Err(Error::new(
                &crate::SETTING,
                "`sasl.mechanism` is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; without the setting Kafka means GSSAPI (Kerberos), which is not supported",
            )
            .context("found", name)),
        }
    }

    /// As it is called on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}
