//! What librdkafka's errors mean to us. Classified here and nowhere else.

use connect_core::{Code, Error, error::RECORD_TOO_LARGE};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Kafka};

use crate::{
    FENCED, GROUP_BUSY, NOT_MEMBER, OUT_OF_RANGE, SETTING, STORAGE, UNAUTHORIZED, UNAVAILABLE,
    UNKNOWN_TOPIC,
};

/// An error of a call, with what was being done (`create a topic`).
pub(super) fn failed(doing: &'static str, cause: KafkaError) -> Error {
    let code = match &cause {
        KafkaError::Transaction(err) => return transaction(doing, err.clone()),
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => &SETTING,
        other => other.rdkafka_error_code().map_or(&UNAVAILABLE, code_of),
    };
    Error::new(code, format!("could not {doing}")).caused_by(cause)
}

/// The same for a bare code.
pub(super) fn failed_with(doing: &'static str, cause: Kafka) -> Error {
    Error::new(code_of(cause), format!("could not {doing}")).caused_by(cause)
}

/// Transactions: a fatal error is a fence unless it says otherwise, since only fencing ends a well-behaved producer for good.
fn transaction(doing: &'static str, cause: rdkafka::error::RDKafkaError) -> Error {
    Error::new(code_of(cause.code()), format!("could not {doing}")).caused_by(cause)
}

/// The kind of an error of the broker or the client.
fn code_of(cause: Kafka) -> &'static Code {
    match cause {
        Kafka::Fenced | Kafka::ProducerFenced | Kafka::InvalidProducerEpoch => &FENCED,
        Kafka::UnknownTopicOrPartition | Kafka::UnknownTopic | Kafka::UnknownPartition => {
            &UNKNOWN_TOPIC
        }
        Kafka::MessageSizeTooLarge | Kafka::MessageBatchTooLarge => &RECORD_TOO_LARGE,
        Kafka::TopicAuthorizationFailed
        | Kafka::GroupAuthorizationFailed
        | Kafka::ClusterAuthorizationFailed
        | Kafka::TransactionalIdAuthorizationFailed
        | Kafka::SaslAuthenticationFailed
        | Kafka::UnsupportedSASLMechanism
        | Kafka::Authentication => &UNAUTHORIZED,
        Kafka::UnknownMemberId
        | Kafka::IllegalGeneration
        | Kafka::FencedInstanceId
        | Kafka::AssignmentLost
        | Kafka::NoOffset => &NOT_MEMBER,
        Kafka::NonEmptyGroup | Kafka::GroupSubscribedToTopic => &GROUP_BUSY,
        Kafka::InvalidConfig
        | Kafka::PolicyViolation
        | Kafka::InvalidTopic
        | Kafka::InvalidPartitions
        | Kafka::InvalidReplicationFactor
        | Kafka::InvalidTransactionTimeout
        | Kafka::InvalidArgument => &SETTING,
        Kafka::OffsetOutOfRange | Kafka::AutoOffsetReset => &OUT_OF_RANGE,
        Kafka::KafkaStorageError => &STORAGE,
        _ => &UNAVAILABLE,
    }
}
