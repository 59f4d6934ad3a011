//! What every client of a cluster shares: its log lines and what is known of the cluster's health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use connect_core::{Code, Error, Result};
use parking_lot::Mutex;
use rdkafka::{
    client::OAuthToken, config::RDKafkaLogLevel, error::KafkaError,
    types::RDKafkaErrorCode as Kafka,
};

use super::oauth;
use crate::{UNAUTHORIZED, UNAVAILABLE};

/// The last trouble that clients had with the cluster, until something works again.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether there is trouble: looked at for every delivery.
    ill: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug, Clone)]
struct Trouble {
    code: &'static Code,
    reason: String,
    since: Instant,
}

impl Health {
    /// Something worked: forget the trouble.
    pub(super) fn well(&self) {
        if self.0.ill.load(Ordering::Acquire) && self.0.trouble.lock().take().is_some() {
            self.0.ill.store(false, Ordering::Release);
            tracing::info!("kafka answers again");
        }
    }

    /// The trouble as an error, if there is any.
    pub(super) fn trouble(&self) -> Option<Error> {
        if !self.0.ill.load(Ordering::Acquire) {
            return None;
        }
        let trouble = self.0.trouble.lock().clone()?;
        let error = Error::new(trouble.code, "could not reach the Kafka cluster");
        Some(error.context("reason", trouble.reason))
    }

    /// Fails when the trouble lasts for longer than this.
    pub(super) fn check(&self, patience: Duration) -> Result<()> {
        if !self.0.ill.load(Ordering::Acquire) {
            return Ok(());
        }
        let since = self.0.trouble.lock().as_ref().map(|trouble| trouble.since);
        match since {
            Some(since) if since.elapsed() > patience => self.trouble().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// An error that may be a mere consequence (a timeout) with its reason, when that is known.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.code() != &UNAVAILABLE {
            return error;
        }
        match self.trouble() {
            Some(trouble) if trouble.code() == &UNAUTHORIZED => trouble,
            Some(trouble) => error.caused_by(trouble),
            None => error,
        }
    }

    /// Brokers could not be reached, as our own clients saw it.
    pub(super) fn ill_because(&self, error: &Error) {
        let code = match error.code() == &UNAUTHORIZED {
            true => &UNAUTHORIZED,
            false => &UNAVAILABLE,
        };
        self.ill(code, &error.report());
    }

    fn ill(&self, code: &'static Code, reason: &str) {
        let mut trouble = self.0.trouble.lock();
        // That all brokers are down follows from it, and would hide the reason.
        let is_consequence = code == &UNAVAILABLE
            && trouble
                .as_ref()
                .is_some_and(|old| old.code == &UNAUTHORIZED);
        if is_consequence {
            return;
        }
        if trouble.as_ref().is_none_or(|old| old.code != code) {
            tracing::warn!(reason, "kafka cannot be reached");
        }
        let since = trouble.as_ref().map_or_else(Instant::now, |old| old.since);
        *trouble = Some(Trouble {
            code,
            reason: reason.to_owned(),
            since,
        });
        self.0.ill.store(true, Ordering::Release);
    }
}

/// A token, as librdkafka wants it.
pub(super) type Tokened = std::result::Result<OAuthToken, Box<dyn std::error::Error>>;

/// A new token for SASL/OAUTHBEARER.
pub(super) fn token(config: Option<&str>) -> Tokened {
    let token = oauth::wait(config.unwrap_or_default())?;
    Ok(OAuthToken {
        token: token.text,
        principal_name: token.principal,
        lifetime_ms: token.expires_ms,
    })
}

/// Passes a line of librdkafka's own log on.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => tracing::warn!(target: "librdkafka", facility, line),
        RDKafkaLogLevel::Warning => tracing::info!(target: "librdkafka", facility, line),
        _ => tracing::debug!(target: "librdkafka", facility, line),
    }
}

/// Keeps what an error event says about the cluster; events about single topics or offsets say nothing.
pub(super) fn note(health: &Health, error: &KafkaError, reason: &str) {
    let Some(code) = error.rdkafka_error_code() else {
        return;
    };
    match code {
        // Waiting does not help where a certificate is not trusted.
        Kafka::SSL if reason.contains("certificate") => health.ill(&UNAUTHORIZED, reason),
        Kafka::Authentication | Kafka::SaslAuthenticationFailed => {
            health.ill(&UNAUTHORIZED, reason);
        }
        Kafka::AllBrokersDown | Kafka::SSL => health.ill(&UNAVAILABLE, reason),
        _ => tracing::debug!(%error, reason, "kafka client event"),
    }
}
