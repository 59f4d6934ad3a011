pub(crate) mod samples;

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::front::apis::APIS;
use samples::samples;

/// A request as a client sends it, without its length.
fn sent(key: ApiKey, version: i16, body: &RequestKind) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(key as i16);
    bytes.put_i16(version);
    bytes.put_i32(7);
    bytes.put_i16(4);
    bytes.put_slice(b"test");
    if key.request_header_version(version) >= 2 {
        bytes.put_u8(0);
    }
    body.encode(&mut bytes, version).expect("a sample");
    bytes.freeze()
}

fn all() -> Vec<(ApiKey, i16, Bytes)> {
    let mut all = Vec::new();
    for api in APIS {
        for version in api.min..=api.max {
            for body in samples(api.key, version) {
                all.push((api.key, version, sent(api.key, version, &body)));
            }
        }
    }
    all
}

#[test]
fn every_version_of_every_request_is_read() {
    for api in APIS {
        for version in api.min..=api.max {
            for body in samples(api.key, version) {
                let read = read(sent(api.key, version, &body));
                let read = read.unwrap_or_else(|e| panic!("{:?} {version}: {e}", api.key));
                assert_eq!((read.key, read.version), (api.key, version));
                assert_eq!((read.correlation_id, &*read.client_id), (7, "test"));
                assert_eq!(read.body, Some(body), "{:?} {version}", api.key);
            }
        }
    }
}

// Invariant 5: bytes from outside never panic.
#[test]
fn every_prefix_fails_politely() {
    for (key, version, bytes) in all() {
        for end in 0..bytes.len() {
            // Version 0 of ApiVersions and the like have no body to cut.
            let cut = read(bytes.slice(..end));
            assert!(
                cut.is_err(),
                "{key:?} {version} cut at {end} of {}",
                bytes.len()
            );
        }
    }
}

/// A count of two thousand million, wherever it is put, takes no memory.
#[test]
fn no_count_is_believed() {
    let large = [0x7f, 0xff, 0xff, 0xff];
    let compact = [0xff, 0xff, 0xff, 0xff, 0x07];
    for (_, _, bytes) in all() {
        for at in 8..bytes.len() {
            for count in [&large[..], &compact[..]] {
                let mut damaged = BytesMut::from(&bytes[..]);
                damaged.truncate(at);
                damaged.put_slice(count);
                damaged.put_slice(bytes.get(at + count.len()..).unwrap_or(&[]));
                // Some are valid still: what counts is that it comes back.
                let _ = read(damaged.freeze());
            }
        }
    }
}

/// A decoder that knows a tagged field would not look at its length, and could be led to a count that was not checked.
#[test]
fn a_tagged_field_cannot_move_what_follows() {
    let version = 12;
    let body = RequestKind::Fetch(Default::default());
    let bytes = sent(ApiKey::Fetch, version, &body);
    let mut tagged = BytesMut::from(&bytes[..bytes.len() - 1]);
    tagged.put_slice(&[1, 0, 0]);
    assert!(read(tagged.freeze()).is_err());
}

#[test]
fn too_many_items_are_refused() {
    let mut bytes = BytesMut::new();
    bytes.put_i16(ApiKey::Metadata as i16);
    bytes.put_slice(&[0, 0, 0, 0, 0, 7, 0xff, 0xff]);
    bytes.put_i32(MAX_ITEMS as i32 + 1);
    bytes.put_bytes(0, 2 * (MAX_ITEMS + 1));
    assert!(read(bytes.freeze()).is_err());
}

proptest! {
    #[test]
    fn garbage_fails_politely(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(Bytes::from(bytes));
    }

    /// A head that is right, with any body.
    #[test]
    fn any_body_fails_politely(
        at in 0..APIS.len(),
        newer in 0..20_i16,
        body in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()], 0..200),
    ) {
        let api = &APIS[at];
        let version = (api.min + newer).min(api.max);
        let mut bytes = BytesMut::new();
        bytes.put_i16(api.key as i16);
        bytes.put_i16(version);
        bytes.put_slice(&[0, 0, 0, 7, 0xff, 0xff]);
        if api.key.request_header_version(version) >= 2 {
            bytes.put_u8(0);
        }
        bytes.put_slice(&body);
        let _ = read(bytes.freeze());
    }

    /// A request in which some bytes are others.
    #[test]
    fn damage_fails_politely(which in any::<prop::sample::Index>(), hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let all = all();
        let (_, _, bytes) = &all[which.index(all.len())];
        let mut damaged = bytes.to_vec();
        for (at, byte) in hits {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        let _ = read(Bytes::from(damaged));
    }
}
