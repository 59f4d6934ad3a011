//! Whether an answer is what it says it is, before it is decoded: a decoder that believes the count of an array takes memory for it.
//! For the answers of administration and others with topics and partitions in them, in the versions up to those that are asked for.

use bytes::Bytes;
use connect_core::Result;
use kafka_protocol::{
    messages::{ApiKey, ResponseHeader},
    protocol::{Decodable, HeaderVersion, Request},
};

use super::connection::{decode, unavailable};
use crate::front::shape::{Kind::*, Part, Shape, all, between, since};

/// All items of an answer together: those of a cluster with more than a million partitions.
const MOST_ITEMS: usize = 20_000_000;
const NEVER: i16 = i16::MAX;

/// Reads the answer to the request with this number. `frame` is all of it but its length.
pub(in crate::kafka) fn read<R: Request>(
    frame: Bytes,
    version: i16,
    correlation: i32,
) -> Result<R::Response> {
    check::<R>(&frame, version)?;
    decode(frame, version, correlation)
}

/// Fails when an answer is not of its shape.
// Invariants 4 and 5: bytes from outside never panic, and never decide how much memory is taken.
fn check<R: Request>(frame: &Bytes, version: i16) -> Result<()> {
    let key = ApiKey::try_from(R::KEY).ok();
    let Some(shape) = key.and_then(|key| shape_of(key, version)) else {
        return Ok(());
    };
    let mut body = frame.clone();
    // What is wrong with the header is told by who decodes it.
    let header = ResponseHeader::decode(&mut body, R::Response::header_version(version));
    let fits = shape.items(version, &body, MOST_ITEMS);
    match header.is_ok() && fits.is_none() {
        true => Err(unavailable("the broker's answer cannot be read").context("api", R::KEY)),
        false => Ok(()),
    }
}

/// The shape of an answer, if it is known for this version.
fn shape_of(key: ApiKey, version: i16) -> Option<&'static Shape> {
    let (shape, newest) = match key {
        ApiKey::ApiVersions => (&API_VERSIONS, 3),
        ApiKey::Produce => (&PRODUCE, 12),
        ApiKey::Metadata => (&METADATA, 12),
        ApiKey::CreateTopics => (&CREATE_TOPICS, 4),
        ApiKey::DeleteTopics => (&DELETE_TOPICS, 4),
        ApiKey::DeleteRecords => (&DELETE_RECORDS, 2),
        ApiKey::ListOffsets => (&LIST_OFFSETS, 7),
        ApiKey::DescribeConfigs => (&DESCRIBE_CONFIGS, 4),
        ApiKey::IncrementalAlterConfigs => (&ALTER_CONFIGS, 1),
        ApiKey::OffsetFetch => (&OFFSET_FETCH, 7),
        ApiKey::OffsetCommit => (&OFFSET_COMMIT, 8),
        ApiKey::OffsetDelete => (&OFFSET_DELETE, 0),
        ApiKey::DeleteGroups => (&DELETE_GROUPS, 2),
        _ => return None,
    };
    (version <= newest).then_some(shape)
}

const fn shape(flexible: i16, parts: &'static [Part]) -> Shape {
    Shape {
        flexible,
        known_tags: false,
        parts,
    }
}

static API_VERSIONS: Shape = shape(
    3,
    &[
        all(Fixed(2)),
        all(List(&[all(Fixed(6))])),
        since(1, Fixed(4)),
        // Features that the broker knows, the epoch of those that are in force, these, and whether a migration is ready.
        all(Tags(&[
            List(&[all(Text), all(Fixed(4))]),
            Fixed(8),
            List(&[all(Text), all(Fixed(4))]),
            Fixed(1),
        ])),
    ],
);

static PRODUCE: Shape = shape(
    9,
    &[
        all(List(&[
            all(Text),
            all(List(&[
                // Partition, error, offset, time.
                all(Fixed(22)),
                since(5, Fixed(8)),
                since(8, List(&[all(Fixed(4)), all(Text)])),
                since(8, Text),
                // Who leads it.
                all(Tags(&[Struct(&[all(Fixed(8))])])),
            ])),
        ])),
        all(Fixed(4)),
        // Where those are who lead.
        all(Tags(&[List(&[
            all(Fixed(4)),
            all(Text),
            all(Fixed(4)),
            all(Text),
        ])])),
    ],
);

static METADATA: Shape = shape(
    9,
    &[
        since(3, Fixed(4)),
        all(List(&[
            all(Fixed(4)),
            all(Text),
            all(Fixed(4)),
            since(1, Text),
        ])),
        since(2, Text),
        since(1, Fixed(4)),
        all(List(&[
            all(Fixed(2)),
            all(Text),
            since(10, Fixed(16)),
            since(1, Fixed(1)),
            all(List(&[
                all(Fixed(10)),
                since(7, Fixed(4)),
                all(Ints),
                all(Ints),
                since(5, Ints),
            ])),
            since(8, Fixed(4)),
        ])),
        between(8, 10, Fixed(4)),
    ],
);

static CREATE_TOPICS: Shape = shape(
    5,
    &[
        since(2, Fixed(4)),
        all(List(&[all(Text), all(Fixed(2)), since(1, Text)])),
    ],
);

static DELETE_TOPICS: Shape = shape(
    4,
    &[since(1, Fixed(4)), all(List(&[all(Text), all(Fixed(2))]))],
);

static DELETE_RECORDS: Shape = shape(
    2,
    &[
        all(Fixed(4)),
        all(List(&[all(Text), all(List(&[all(Fixed(14))]))])),
    ],
);

static LIST_OFFSETS: Shape = shape(
    6,
    &[
        since(2, Fixed(4)),
        all(List(&[
            all(Text),
            all(List(&[
                all(Fixed(6)),
                since(1, Fixed(16)),
                since(4, Fixed(4)),
            ])),
        ])),
    ],
);

static DESCRIBE_CONFIGS: Shape = shape(
    4,
    &[
        all(Fixed(4)),
        all(List(&[
            all(Fixed(2)),
            all(Text),
            all(Fixed(1)),
            all(Text),
            all(List(&[
                all(Text),
                all(Text),
                // Whether it is read-only, of where, whether it is sensitive.
                all(Fixed(3)),
                since(1, List(&[all(Text), all(Text), all(Fixed(1))])),
                since(3, Fixed(1)),
                since(3, Text),
            ])),
        ])),
    ],
);

static ALTER_CONFIGS: Shape = shape(
    1,
    &[
        all(Fixed(4)),
        all(List(&[all(Fixed(2)), all(Text), all(Fixed(1)), all(Text)])),
    ],
);

static OFFSET_FETCH: Shape = shape(
    6,
    &[
        since(3, Fixed(4)),
        all(List(&[
            all(Text),
            all(List(&[
                all(Fixed(12)),
                since(5, Fixed(4)),
                all(Text),
                all(Fixed(2)),
            ])),
        ])),
        since(2, Fixed(2)),
    ],
);

static OFFSET_COMMIT: Shape = shape(
    8,
    &[
        since(3, Fixed(4)),
        all(List(&[all(Text), all(List(&[all(Fixed(6))]))])),
    ],
);

static OFFSET_DELETE: Shape = shape(
    NEVER,
    &[
        all(Fixed(6)),
        all(List(&[all(Text), all(List(&[all(Fixed(6))]))])),
    ],
);

static DELETE_GROUPS: Shape = shape(2, &[all(Fixed(4)), all(List(&[all(Text), all(Fixed(2))]))]);

#[cfg(test)]
mod tests;
