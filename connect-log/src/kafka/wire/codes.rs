//! What the brokers' error codes mean to a producer. Source: <https://kafka.apache.org/protocol#protocol_error_codes>.

use connect_core::{Code, Error, error::RECORD_TOO_LARGE};
use kafka_protocol::ResponseError as Kafka;

use crate::{CLOCK, FENCED, SETTING, STORAGE, UNAUTHORIZED, UNAVAILABLE, UNKNOWN_TOPIC};

/// What to do after an answer.
#[derive(Debug)]
pub(in crate::kafka) enum Verdict {
    /// It has happened.
    Done,
    /// The same again, after a look at who leads; with the reason.
    Again(Error),
    /// The same again only if something before it has failed.
    OutOfOrder(Error),
    /// Never.
    Never(Error),
}

/// The meaning of a code, in the answer to `doing` (`deliver a record`).
pub(in crate::kafka) fn verdict(doing: &'static str, code: i16) -> Verdict {
    let Some(kafka) = Kafka::try_from_code(code) else {
        return Verdict::Done;
    };
    match kafka {
        Kafka::DuplicateSequenceNumber => Verdict::Done,
        Kafka::OutOfOrderSequenceNumber => Verdict::OutOfOrder(named(doing, &UNAVAILABLE, kafka)),
        _ => match never(kafka) {
            Some(code) => Verdict::Never(named(doing, code, kafka)),
            None if kafka.is_retriable() || kafka == Kafka::ConcurrentTransactions => {
                Verdict::Again(named(doing, again(kafka), kafka))
            }
            None => Verdict::Never(named(doing, &UNAVAILABLE, kafka)),
        },
    }
}

fn never(kafka: Kafka) -> Option<&'static Code> {
    Some(match kafka {
        Kafka::InvalidProducerEpoch | Kafka::ProducerFenced | Kafka::InvalidProducerIdMapping => {
            &FENCED
        }
        Kafka::MessageTooLarge | Kafka::RecordListTooLarge => &RECORD_TOO_LARGE,
        Kafka::TopicAuthorizationFailed
        | Kafka::GroupAuthorizationFailed
        | Kafka::ClusterAuthorizationFailed
        | Kafka::TransactionalIdAuthorizationFailed => &UNAUTHORIZED,
        Kafka::InvalidTimestamp => &CLOCK,
        Kafka::InvalidTransactionTimeout
        | Kafka::InvalidTopicException
        | Kafka::PolicyViolation => &SETTING,
        _ => return None,
    })
}

/// The kind of an error that may pass.
fn again(kafka: Kafka) -> &'static Code {
    match kafka {
        Kafka::UnknownTopicOrPartition => &UNKNOWN_TOPIC,
        Kafka::KafkaStorageError => &STORAGE,
        _ => &UNAVAILABLE,
    }
}

fn named(doing: &'static str, code: &'static Code, kafka: Kafka) -> Error {
    Error::new(code, format!("could not {doing}")).context("broker", kafka)
}
