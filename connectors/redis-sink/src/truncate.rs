//! Deleting all keys of a topic.

use connect_core::{Error, Result};

use crate::{
    error::PROTOCOL,
    resp::{Reply, command, word},
    wire::Wire,
};

/// Deletes every key that matches the pattern, step by step, so that Redis keeps answering others.
pub(crate) async fn delete_matching(wire: &mut Wire, pattern: &str) -> Result<()> {
    let mut cursor = b"0".to_vec();
    loop {
        let step: [&[u8]; 6] = [
            b"SCAN",
            &cursor,
            b"MATCH",
            pattern.as_bytes(),
            b"COUNT",
            b"1000",
        ];
        let Reply::Array(parts) = wire.ask(&step).await? else {
            return Err(unexpected());
        };
        let [Reply::Bytes(next), Reply::Array(keys)] = parts.as_slice() else {
            return Err(unexpected());
        };
        unlink(wire, keys).await?;
        if next == b"0" {
            return Ok(());
        }
        cursor.clone_from(next);
    }
}

async fn unlink(wire: &mut Wire, keys: &[Reply]) -> Result<()> {
    let keys: Vec<&[u8]> = keys
        .iter()
        .filter_map(|key| match key {
            Reply::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut out = Vec::new();
    command(1 + keys.len(), &mut out);
    word(b"UNLINK", &mut out);
    keys.iter().for_each(|key| word(key, &mut out));
    wire.send(&out).await?;
    match wire.reply().await? {
        Reply::Error(answer) => Err(crate::classify(&answer)),
        _ => Ok(()),
    }
}

fn unexpected() -> Error {
    Error::new(&PROTOCOL, "Redis answered SCAN in an unknown way")
}
