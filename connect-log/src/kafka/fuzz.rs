//! Bytes of brokers and of other members of a group: for fuzzing only, no part of the interface.

use bytes::{BufMut, Bytes, BytesMut};
use connect_core::{Encoded, Result};
use kafka_protocol::{
    messages::{
        ApiVersionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
        DeleteTopicsRequest, DescribeConfigsRequest, FindCoordinatorRequest,
        IncrementalAlterConfigsRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
        OffsetDeleteRequest, OffsetFetchRequest, ProduceRequest,
    },
    protocol::Request,
};

use super::{consumer::fuzz, wire};

/// Reads record batches, with checksums or without; gives how many records.
pub fn batches(bytes: &[u8], checks: bool) -> Result<usize> {
    let mut out = Encoded::default();
    let read = fuzz::batches(Bytes::copy_from_slice(bytes), checks, &mut out);
    for record in &out.records {
        let parts = [out.key(record), out.value(record)];
        assert!(parts.into_iter().flatten().count() <= 2);
        assert!(out.headers(record).len() <= out.headers.len());
    }
    read.map(|()| out.len())
}

/// Reads what a member subscribes to, and what it is assigned.
pub fn member(bytes: &[u8]) {
    fuzz::member(bytes);
}

/// Reads an answer of administration, or to a producer. `question` says to what; any number is right.
pub fn answer(question: u8, body: &[u8]) {
    match question % 15 {
        0 => answered::<ApiVersionsRequest>(0, body),
        1 => answered::<MetadataRequest>(9, body),
        2 => answered::<FindCoordinatorRequest>(3, body),
        3 => answered::<CreateTopicsRequest>(4, body),
        4 => answered::<DeleteTopicsRequest>(4, body),
        5 => answered::<DeleteRecordsRequest>(2, body),
        6 => answered::<ListOffsetsRequest>(5, body),
        7 => answered::<DescribeConfigsRequest>(4, body),
        8 => answered::<IncrementalAlterConfigsRequest>(1, body),
        9 => answered::<OffsetFetchRequest>(7, body),
        10 => answered::<OffsetCommitRequest>(8, body),
        11 => answered::<OffsetDeleteRequest>(0, body),
        12 => answered::<DeleteGroupsRequest>(2, body),
        13 => answered::<ApiVersionsRequest>(3, body),
        _ => answered::<ProduceRequest>(12, body),
    }
}

fn answered<R: Request>(version: i16, body: &[u8]) {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.extend_from_slice(body);
    let _ = wire::read::<R>(frame.freeze(), version, 0);
}
