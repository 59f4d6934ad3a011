use std::{sync::Arc, time::Duration};

use connect_core::Encoded;
use kafka_protocol::{messages::ResponseHeader, protocol::Decodable};

use super::*;
use crate::{
    AppenderSpec, Log, TopicSpec,
    front::{apis::APIS, ids::text, request::tests::samples::samples},
    memory::MemoryLog,
};

async fn front() -> Front<crate::memory::Memory> {
    let log = MemoryLog::new();
    let topics = [TopicSpec::new("t", 2)];
    log.create_topics(&topics).await.expect("a topic");
    let mut appender = log.appender(AppenderSpec::default()).await.expect("one");
    let mut some = Encoded::default();
    for number in 0..10 {
        let key = [number];
        some.push(
            &Arc::from("t"),
            Some(&key),
            Some(b"value"),
            1000 + i64::from(number),
        );
        some.push_header("name", None);
    }
    appender.append(&some).await.expect("room");
    appender.commit(None).await.expect("durable");
    Front::new(log, None)
}

fn peer() -> Peer {
    Peer {
        host: text("127.0.0.1"),
        port: 9092,
        address: text("127.0.0.1"),
    }
}

/// What a client would read.
async fn ask(
    front: &Front<crate::memory::Memory>,
    key: ApiKey,
    version: i16,
    body: RequestKind,
) -> ResponseKind {
    let request = Request {
        key,
        version,
        correlation_id: 11,
        client_id: text("test"),
        body: Some(body),
    };
    let room = front.requests.take(1).await;
    let answer = answer(front, &peer(), request, room).await;
    let answer = answer.unwrap_or_else(|e| panic!("{key:?} {version}: {e}"));
    let mut frame = answer.expect("an answer").frame.freeze();
    let length = frame.split_to(4);
    assert_eq!(length[..], (frame.len() as u32).to_be_bytes());
    let head = ResponseHeader::decode(&mut frame, key.response_header_version(version));
    assert_eq!(head.expect("a head").correlation_id, 11);
    let response = ResponseKind::decode(key, &mut frame, version);
    let response = response.unwrap_or_else(|e| panic!("{key:?} {version}: {e}"));
    assert!(frame.is_empty(), "{key:?} {version} has more");
    response
}

#[tokio::test]
async fn every_version_of_every_request_is_answered() {
    let front = front().await;
    for api in APIS {
        for version in api.min..=api.max {
            for body in samples(api.key, version) {
                if matches!(&body, RequestKind::Produce(body) if body.acks == 0) {
                    continue;
                }
                let limit = Duration::from_secs(60);
                let answered = ask(&front, api.key, version, body);
                let answered = tokio::time::timeout(limit, answered).await;
                answered.unwrap_or_else(|_| panic!("{:?} {version} takes too long", api.key));
            }
        }
    }
}

#[tokio::test]
async fn a_newer_client_is_told_what_there_is() {
    let front = front().await;
    let request = Request {
        key: ApiKey::ApiVersions,
        version: 99,
        correlation_id: 11,
        client_id: text("test"),
        body: None,
    };
    let room = front.requests.take(1).await;
    let answer = answer(&front, &peer(), request, room).await;
    let mut frame = answer.expect("told").expect("an answer").frame.freeze();
    let _ = frame.split_to(8);
    let told = ResponseKind::decode(ApiKey::ApiVersions, &mut frame, 0).expect("version 0");
    let ResponseKind::ApiVersions(told) = told else {
        panic!("something else");
    };
    assert_eq!(told.error_code, ResponseError::UnsupportedVersion.code());
    assert_eq!(told.api_keys.len(), APIS.len());
}

/// All versions of a fetch give all records, by name or by id.
#[tokio::test]
async fn every_version_of_a_fetch_gives_the_records() {
    let front = front().await;
    let topic = front.log.catalog().get("t").expect("a topic");
    let id = crate::front::ids::topic_id(&front.cluster, &topic);
    for version in 4..=18 {
        let Some(RequestKind::Fetch(mut request)) =
            samples(ApiKey::Fetch, version).into_iter().next()
        else {
            panic!("something else");
        };
        if version >= 13 {
            request.topics[0].topic_id = id;
        }
        let told = ask(&front, ApiKey::Fetch, version, RequestKind::Fetch(request)).await;
        let ResponseKind::Fetch(told) = told else {
            panic!("something else");
        };
        let parts = &told.responses[0].partitions;
        assert_eq!(parts[2].error_code, ResponseError::OffsetOutOfRange.code());
        let count: usize = parts[..2]
            .iter()
            .map(|part| {
                let mut bytes = part.records.clone().expect("records");
                let sets = kafka_protocol::records::RecordBatchDecoder::decode_all(&mut bytes);
                let sets = sets.expect("batches");
                sets.iter().map(|set| set.records.len()).sum::<usize>()
            })
            .sum();
        assert_eq!(count, 10, "version {version}");
    }
}
