//! Decimals and hex as the bytes that binary formats have, each after its length.

use connect_core::{Error, Result, decimal};

use crate::{avro::varint::write_length, error::MISMATCH};

/// Appends decimal text as its unscaled bytes after their length. Without a `scale`, the text's own counts.
pub(crate) fn write_unscaled(text: &[u8], scale: Option<u32>, out: &mut Vec<u8>) -> Result<()> {
    let scale = scale.map_or_else(|| own_scale(text), |scale| scale as usize);
    if let Some(number) = small_unscaled(text, scale) {
        let bytes = number.to_be_bytes();
        let bytes = shortest(&bytes);
        write_length(bytes.len(), out);
        out.extend_from_slice(bytes);
        return Ok(());
    }
    let mut bytes = Vec::new();
    decimal::unscaled(text, scale, &mut bytes)?;
    write_length(bytes.len(), out);
    out.extend_from_slice(&bytes);
    Ok(())
}

/// How many digits stand after the point.
pub(crate) fn own_scale(text: &[u8]) -> usize {
    memchr::memchr(b'.', text).map_or(0, |at| text.len() - at - 1)
}

/// The unscaled value, where it fits and the text has no digits beyond the scale.
pub(crate) fn small_unscaled(text: &[u8], scale: usize) -> Option<i64> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let own = own_scale(unsigned);
    if unsigned.is_empty() || unsigned.len() > 18 || own > scale {
        return None;
    }
    let mut number: i64 = 0;
    let mut points = 0;
    for byte in unsigned {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'.' if points == 0 && unsigned.len() > 1 => points = 1,
            _ => return None,
        }
    }
    for _ in own..scale {
        number = number.checked_mul(10)?;
    }
    Some(if unsigned.len() < text.len() {
        -number
    } else {
        number
    })
}

/// Two's complement bytes without those that say nothing.
pub(crate) fn shortest(bytes: &[u8]) -> &[u8] {
    let redundant = bytes
        .windows(2)
        .take_while(|w| (w[0] == 0 && w[1] < 0x80) || (w[0] == 0xff && w[1] >= 0x80))
        .count();
    bytes.get(redundant..).unwrap_or(bytes)
}

/// Appends the bytes behind hex digits.
pub(crate) fn write_unhexed(hex: &[u8], out: &mut Vec<u8>) -> Result<()> {
    for pair in hex.chunks(2) {
        match pair {
            [high, low] => out.push((nibble(*high)? << 4) | nibble(*low)?),
            _ => return Err(not_hex()),
        }
    }
    Ok(())
}

fn nibble(digit: u8) -> Result<u8> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(not_hex()),
    }
}

fn not_hex() -> Error {
    Error::new(&MISMATCH, "bytes in hex have a byte that is no hex digit")
}
