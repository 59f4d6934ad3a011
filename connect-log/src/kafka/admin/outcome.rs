//! What an answer says beside yes: classified here and nowhere else.

use std::fmt;

use connect_core::{Code, Error};
use kafka_protocol::{ResponseError as Kafka, protocol::StrBytes};

use crate::{
    GROUP_BUSY, NOT_MEMBER, OUT_OF_RANGE, SETTING, STORAGE, UNAUTHORIZED, UNAVAILABLE,
    UNKNOWN_TOPIC,
};

/// What a question gives.
pub(super) type Outcome<T> = Result<T, Failed>;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Failed {
    /// A broker said no.
    Refused(Refusal),
    /// No broker, or no answer.
    Broken(Error),
}

/// A broker's no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kafka: Kafka,
    /// The broker's own words, when it has any.
    message: Option<String>,
    /// What was refused, when it is one of several.
    topic: Option<String>,
}

/// Longer words of a broker are cut off.
const LONGEST_MESSAGE: usize = 500;

impl Failed {
    /// As an error of what was being done (`create a topic`).
    pub(super) fn told(self, doing: &'static str) -> Error {
        let what = format!("could not {doing}");
        match self {
            // What has been told as a fault of settings or rights needs no more words.
            Self::Broken(error) if error.code() != &UNAVAILABLE => error,
            Self::Broken(error) => Error::new(&UNAVAILABLE, what).caused_by(error),
            Self::Refused(refusal) => {
                let error = Error::new(code_of(refusal.kafka), what);
                let error = match &refusal.topic {
                    Some(topic) => error.context("topic", topic),
                    None => error,
                };
                error.caused_by(refusal)
            }
        }
    }

    /// The code of a broker.
    pub(super) fn kafka(&self) -> Option<Kafka> {
        match self {
            Self::Refused(refusal) => Some(refusal.kafka),
            Self::Broken(_) => None,
        }
    }

    /// About one topic of several.
    pub(super) fn of(mut self, name: &str) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.topic = Some(name.to_owned());
        }
        self
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Kafka> for Failed {
    fn from(kafka: Kafka) -> Self {
        Self::Refused(Refusal {
            kafka,
            message: None,
            topic: None,
        })
    }
}

/// What a code of an answer says, with the broker's words.
pub(super) fn check(code: i16, message: Option<&StrBytes>) -> Outcome<()> {
    let Some(kafka) = Kafka::try_from_code(code) else {
        return Ok(());
    };
    let message = message.filter(|text| !text.is_empty());
    Err(Failed::Refused(Refusal {
        kafka,
        message: message.map(|text| text.chars().take(LONGEST_MESSAGE).collect()),
        topic: None,
    }))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{:?} ({message})", self.kafka),
            None => write!(f, "{:?} ({})", self.kafka, self.kafka),
        }
    }
}

impl std::error::Error for Refusal {}

/// The kind of an error of a broker.
fn code_of(kafka: Kafka) -> &'static Code {
    match kafka {
        Kafka::UnknownTopicOrPartition => &UNKNOWN_TOPIC,
        Kafka::TopicAuthorizationFailed
        | Kafka::GroupAuthorizationFailed
        | Kafka::ClusterAuthorizationFailed
        | Kafka::SaslAuthenticationFailed => &UNAUTHORIZED,
        Kafka::UnknownMemberId | Kafka::IllegalGeneration | Kafka::FencedInstanceId => &NOT_MEMBER,
        Kafka::NonEmptyGroup | Kafka::GroupSubscribedToTopic => &GROUP_BUSY,
        Kafka::InvalidConfig
        | Kafka::PolicyViolation
        | Kafka::InvalidTopicException
        | Kafka::InvalidPartitions
        | Kafka::InvalidReplicationFactor => &SETTING,
        Kafka::OffsetOutOfRange => &OUT_OF_RANGE,
        Kafka::KafkaStorageError => &STORAGE,
        _ => &UNAVAILABLE,
    }
}
