//! Bytes and decimals as JSON, from each form in which they lie.

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{Error, Result, decimal};

use crate::{
    error::MISMATCH,
    java_number::write_big_decimal,
    unscaled::{shortest, small_unscaled},
};

pub(super) use crate::unscaled::own_scale;

/// How many bytes are turned into base64 at once from hex: a multiple of three.
const CHUNK: usize = 48;

/// Appends bytes in base64, with quotes.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    append_base64(bytes, out);
    out.push(b'"');
}

/// Appends the bytes behind hex digits in base64, with quotes.
pub(super) fn write_hex(hex: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'"');
    for digits in hex.chunks(CHUNK * 2) {
        let mut bytes = [0; CHUNK];
        let length = digits.len() / 2;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = match pair {
                [high, low] => (nibble(*high)? << 4) | nibble(*low)?,
                _ => return Err(not_hex()),
            };
        }
        append_base64(bytes.get(..length).unwrap_or(&[]), out);
    }
    out.push(b'"');
    Ok(())
}

/// Appends decimal text as its unscaled bytes in base64. Without a `scale`, the text's own counts.
pub(super) fn write_decimal_base64(
    text: &[u8],
    scale: Option<u32>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let scale = scale.map_or_else(|| own_scale(text), |s| s as usize);
    if let Some(number) = small_unscaled(text, scale) {
        let bytes = number.to_be_bytes();
        write_base64(shortest(&bytes), out);
        return Ok(());
    }
    let mut bytes = Vec::new();
    decimal::unscaled(text, scale, &mut bytes)?;
    write_base64(&bytes, out);
    Ok(())
}

/// Appends unscaled bytes as a JSON number.
pub(super) fn write_decimal_number(bytes: &[u8], scale: u32, out: &mut Vec<u8>) -> Result<()> {
    let mut text = Vec::new();
    decimal::to_text(bytes, scale as usize, &mut text);
    write_big_decimal(&text, scale as usize, out)
}

fn append_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact, so this cannot fail.
    if let Some(room) = out.get_mut(at..) {
        let _ = STANDARD.encode_slice(bytes, room);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    // Written by Kafka Connect 4.3's JsonConverter.
    #[test]
    fn decimals_are_the_bytes_of_java() {
        for (text, expected) in [
            ("12.50", "\"BOI=\""),
            ("12.5", "\"BOI=\""),
            ("0.00", "\"AA==\""),
            ("-0.01", "\"/w==\""),
            (
                "123456789012345678901234567890.12",
                "\"AJvTCjxkWUPdFpCgOhQ=\"",
            ),
        ] {
            assert_eq!(
                base64(|out| write_decimal_base64(text.as_bytes(), Some(2), out)),
                expected
            );
        }
    }

    #[test]
    fn short_and_long_ways_to_unscaled_bytes_agree() {
        for text in [
            "0",
            "-0",
            "127",
            "128",
            "-128",
            "-129",
            "99999999999999.99",
            "-1.5",
            "1.",
        ] {
            for scale in [2, 3, 7] {
                let short = base64(|out| write_decimal_base64(text.as_bytes(), Some(scale), out));
                let mut bytes = Vec::new();
                decimal::unscaled(text.as_bytes(), scale as usize, &mut bytes).unwrap();
                assert_eq!(
                    short,
                    format!("\"{}\"", STANDARD.encode(&bytes)),
                    "{text} {scale}"
                );
            }
        }
        for bad in ["", "-", ".", "1.2.3", "1x", "NaN"] {
            assert!(write_decimal_base64(bad.as_bytes(), Some(2), &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn hex_of_every_length_is_its_bytes() {
        for length in [0, 1, 2, 47, 48, 49, 96, 100] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            let expected = format!("\"{}\"", STANDARD.encode(&bytes));
            assert_eq!(base64(|out| write_hex(hex.as_bytes(), out)), expected);
        }
        assert!(write_hex(b"0g", &mut Vec::new()).is_err());
        assert!(write_hex(b"012", &mut Vec::new()).is_err());
    }
}
