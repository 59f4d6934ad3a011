//! A request: its head, and its body decoded once it is sure that this is safe.

use std::io;

use bytes::{Buf, Bytes};
use kafka_protocol::{
    messages::{ApiKey, RequestKind},
    protocol::StrBytes,
};

use super::apis::{self, Api};

/// Items that the arrays of a request can have together: a fetch of all partitions of three of the largest topics.
const MAX_ITEMS: usize = 32 << 10;

/// What a client asks.
pub(crate) struct Request {
    pub(crate) key: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: StrBytes,
    /// `None` for versions that are not known, of which only those of `ApiVersions` come so far.
    pub(crate) body: Option<RequestKind>,
}

/// Reads a request without its length. An error ends the connection, as with a broker: what follows could not be understood.
// Invariant 5: bytes from outside never panic.
pub(crate) fn read(mut bytes: Bytes) -> io::Result<Request> {
    let cut = |_| invalid("a request is cut");
    let key = bytes.try_get_i16().map_err(cut)?;
    let version = bytes.try_get_i16().map_err(cut)?;
    let correlation_id = bytes.try_get_i32().map_err(cut)?;
    let api = apis::find(key).ok_or_else(|| invalid("a request of a kind that is not served"))?;
    let mut request = Request {
        key: api.key,
        version,
        correlation_id,
        client_id: StrBytes::new(),
        body: None,
    };
    if !(api.min..=api.max).contains(&version) {
        // A client that is newer than we know asks so, and goes on with what it is told.
        return match api.key {
            ApiKey::ApiVersions => Ok(request),
            _ => Err(invalid("a request of a version that is not served")),
        };
    }
    request.client_id =
        client_id(&mut bytes).ok_or_else(|| invalid("a request's head is damaged"))?;
    if api.key.request_header_version(version) >= 2 {
        head_tags(&mut bytes).ok_or_else(|| invalid("a request's head is damaged"))?;
    }
    request.body = Some(body(api, version, bytes)?);
    Ok(request)
}

fn body(api: &Api, version: i16, mut bytes: Bytes) -> io::Result<RequestKind> {
    let items = api.shape.items(version, &bytes, MAX_ITEMS);
    items.ok_or_else(|| invalid("a request is damaged, or has too many items"))?;
    RequestKind::decode(api.key, &mut bytes, version)
        .map_err(|error| invalid(&format!("a request is damaged: {error}")))
}

/// The client's name, empty when it has none. It is no compact string in any version.
fn client_id(bytes: &mut Bytes) -> Option<StrBytes> {
    let length = match bytes.try_get_i16().ok()? {
        -1 => return Some(StrBytes::new()),
        length => usize::try_from(length).ok()?,
    };
    if length > bytes.len() {
        return None;
    }
    StrBytes::from_utf8(bytes.split_to(length)).ok()
}

fn head_tags(bytes: &mut Bytes) -> Option<()> {
    for _ in 0..varint(bytes)? {
        varint(bytes)?;
        let length = varint(bytes)? as usize;
        if length > bytes.len() {
            return None;
        }
        bytes.advance(length);
    }
    Some(())
}

fn varint(bytes: &mut Bytes) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = bytes.try_get_u8().ok()?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
pub(crate) mod tests;
