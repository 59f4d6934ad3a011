//! From requests to answers.

use std::io;

use bytes::BytesMut;
use kafka_protocol::{
    ResponseError,
    messages::{ApiKey, RequestKind, ResponseKind},
};

use super::{
    apis,
    budget::Room,
    configs,
    connection::{Peer, frame},
    fetch, group, metadata, offsets, refuse,
    request::Request,
    serve::Front,
};
use crate::local::Store;

/// The bytes of an answer, and the memory that they take.
pub(crate) struct Answer<'a> {
    pub(crate) frame: BytesMut,
    pub(crate) room: Option<Room<'a>>,
}

/// Answers a request; `None` for a producer that wants no answer. An error ends the connection.
pub(crate) async fn answer<'a, S: Store>(
    front: &'a Front<S>,
    peer: &Peer,
    request: Request,
    room: Room<'a>,
) -> io::Result<Option<Answer<'a>>> {
    let (key, version) = (request.key, request.version);
    let correlation_id = request.correlation_id;
    let answered = |response| {
        let frame = frame(key, version, correlation_id, response)?;
        Ok(Some(Answer { frame, room: None }))
    };
    let Some(body) = request.body else {
        let error = apis::versions(Some(ResponseError::UnsupportedVersion));
        let oldest = ResponseKind::ApiVersions(error);
        let frame = frame(ApiKey::ApiVersions, 0, correlation_id, oldest)?;
        return Ok(Some(Answer { frame, room: None }));
    };
    let response = match body {
        RequestKind::Fetch(body) => {
            let (response, room) = fetch::fetch(front, body, version, room).await;
            let frame = frame(key, version, correlation_id, ResponseKind::Fetch(response))?;
            return Ok(Some(Answer {
                frame,
                room: Some(room),
            }));
        }
        RequestKind::Produce(body) => match refuse::produce(&body, version) {
            Some(refusal) => ResponseKind::Produce(refusal),
            None => return Ok(None),
        },
        RequestKind::InitProducerId(_) => ResponseKind::InitProducerId(refuse::producer_id()),
        RequestKind::ApiVersions(_) => ResponseKind::ApiVersions(apis::versions(None)),
        RequestKind::Metadata(body) => {
            ResponseKind::Metadata(metadata::metadata(front, peer, &body, version))
        }
        RequestKind::DescribeCluster(body) => {
            ResponseKind::DescribeCluster(metadata::cluster(front, peer, &body))
        }
        RequestKind::FindCoordinator(body) => {
            ResponseKind::FindCoordinator(metadata::coordinator(peer, &body, version))
        }
        RequestKind::DescribeConfigs(body) => {
            ResponseKind::DescribeConfigs(configs::describe(front, &body))
        }
        RequestKind::ListOffsets(body) => {
            ResponseKind::ListOffsets(offsets::list(front, &body).await)
        }
        other => {
            let from = group::From {
                client_id: &request.client_id,
                address: &peer.address,
                version,
            };
            return answered(group::answer(front, &from, other, room).await?);
        }
    };
    answered(response)
}

#[cfg(test)]
mod tests;
