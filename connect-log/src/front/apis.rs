//! Which requests are answered, in which versions, and their shapes.

use kafka_protocol::{
    ResponseError,
    messages::{ApiKey, ApiVersionsResponse, api_versions_response::ApiVersion},
};

use super::shape::{
    Kind::{Bytes, Fixed, Ints, List, Text, Texts},
    Part, Shape, all, between, since, until,
};

/// A kind of request that is answered.
pub(crate) struct Api {
    pub(crate) key: ApiKey,
    /// The oldest version.
    pub(crate) min: i16,
    /// The newest version.
    pub(crate) max: i16,
    pub(crate) shape: Shape,
}

const fn api(key: ApiKey, (min, max): (i16, i16), flexible: i16, parts: &'static [Part]) -> Api {
    Api {
        key,
        min,
        max,
        shape: Shape {
            flexible,
            known_tags: matches!(key, ApiKey::Fetch),
            parts,
        },
    }
}

const UUID: usize = 16;

/// Every request that is answered. `Produce` and `InitProducerId` are, so that a producer hears why nothing is written.
pub(crate) const APIS: &[Api] = &[
    api(
        ApiKey::Produce,
        (3, 13),
        9,
        &[
            all(Text),
            all(Fixed(6)),
            all(List(&[
                until(12, Text),
                since(13, Fixed(UUID)),
                all(List(&[all(Fixed(4)), all(Bytes)])),
            ])),
        ],
    ),
    api(
        ApiKey::Fetch,
        (4, 18),
        12,
        &[
            until(14, Fixed(4)),
            all(Fixed(13)),
            since(7, Fixed(8)),
            all(List(&[
                until(12, Text),
                since(13, Fixed(UUID)),
                all(List(&[
                    all(Fixed(4)),
                    since(9, Fixed(4)),
                    all(Fixed(8)),
                    since(12, Fixed(4)),
                    since(5, Fixed(8)),
                    all(Fixed(4)),
                ])),
            ])),
            since(
                7,
                List(&[until(12, Text), since(13, Fixed(UUID)), all(Ints)]),
            ),
            since(11, Text),
        ],
    ),
    api(
        ApiKey::ListOffsets,
        (1, 10),
        6,
        &[
            all(Fixed(4)),
            since(2, Fixed(1)),
            all(List(&[
                all(Text),
                all(List(&[all(Fixed(4)), since(4, Fixed(4)), all(Fixed(8))])),
            ])),
            since(10, Fixed(4)),
        ],
    ),
    api(
        ApiKey::Metadata,
        (0, 13),
        9,
        &[
            all(List(&[since(10, Fixed(UUID)), all(Text)])),
            since(4, Fixed(1)),
            between(8, 10, Fixed(1)),
            since(8, Fixed(1)),
        ],
    ),
    api(
        ApiKey::OffsetCommit,
        (2, 9),
        8,
        &[
            all(Text),
            all(Fixed(4)),
            all(Text),
            since(7, Text),
            until(4, Fixed(8)),
            all(List(&[
                all(Text),
                all(List(&[all(Fixed(12)), since(6, Fixed(4)), all(Text)])),
            ])),
        ],
    ),
    api(
        ApiKey::OffsetFetch,
        (1, 9),
        6,
        &[
            until(7, Text),
            until(7, List(&[all(Text), all(Ints)])),
            since(
                8,
                List(&[
                    all(Text),
                    since(9, Text),
                    since(9, Fixed(4)),
                    all(List(&[all(Text), all(Ints)])),
                ]),
            ),
            since(7, Fixed(1)),
        ],
    ),
    api(
        ApiKey::FindCoordinator,
        (0, 6),
        3,
        &[until(3, Text), since(1, Fixed(1)), since(4, Texts)],
    ),
    api(
        ApiKey::JoinGroup,
        (0, 9),
        6,
        &[
            all(Text),
            all(Fixed(4)),
            since(1, Fixed(4)),
            all(Text),
            since(5, Text),
            all(Text),
            all(List(&[all(Text), all(Bytes)])),
            since(8, Text),
        ],
    ),
    api(
        ApiKey::Heartbeat,
        (0, 4),
        4,
        &[all(Text), all(Fixed(4)), all(Text), since(3, Text)],
    ),
    api(
        ApiKey::LeaveGroup,
        (0, 5),
        4,
        &[
            all(Text),
            until(2, Text),
            since(3, List(&[all(Text), all(Text), since(5, Text)])),
        ],
    ),
    api(
        ApiKey::SyncGroup,
        (0, 5),
        4,
        &[
            all(Text),
            all(Fixed(4)),
            all(Text),
            since(3, Text),
            since(5, Text),
            since(5, Text),
            all(List(&[all(Text), all(Bytes)])),
        ],
    ),
    api(
        ApiKey::DescribeGroups,
        (0, 6),
        5,
        &[all(Texts), since(3, Fixed(1))],
    ),
    api(
        ApiKey::ListGroups,
        (0, 5),
        3,
        &[since(4, Texts), since(5, Texts)],
    ),
    api(
        ApiKey::ApiVersions,
        (0, 4),
        3,
        &[since(3, Text), since(3, Text)],
    ),
    api(
        ApiKey::InitProducerId,
        (0, 5),
        2,
        &[all(Text), all(Fixed(4)), since(3, Fixed(10))],
    ),
    api(
        ApiKey::DescribeConfigs,
        (1, 4),
        4,
        &[
            all(List(&[all(Fixed(1)), all(Text), all(Texts)])),
            all(Fixed(1)),
            since(3, Fixed(1)),
        ],
    ),
    api(
        ApiKey::DescribeCluster,
        (0, 2),
        0,
        &[all(Fixed(1)), since(1, Fixed(1)), since(2, Fixed(1))],
    ),
];

/// The kind of request with a number, if it is answered.
pub(crate) fn find(key: i16) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key as i16 == key)
}

/// What `ApiVersions` is told.
pub(crate) fn versions(error: Option<ResponseError>) -> ApiVersionsResponse {
    let keys = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.min)
            .with_max_version(api.max)
    });
    ApiVersionsResponse::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_api_keys(keys.collect())
}
