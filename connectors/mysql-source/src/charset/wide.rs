//! Character sets of two and four bytes.

use super::push_char;

/// Two bytes a unit, of which surrogates make one character.
pub(super) fn push_utf16(bytes: &[u8], number: fn([u8; 2]) -> u16, out: &mut Vec<u8>) {
    let (units, odd) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| number(*unit));
    for c in char::decode_utf16(units) {
        push_char(c.unwrap_or(char::REPLACEMENT_CHARACTER), out);
    }
    if !odd.is_empty() {
        push_char(char::REPLACEMENT_CHARACTER, out);
    }
}

/// Four bytes a character, the highest first.
pub(super) fn push_utf32(bytes: &[u8], out: &mut Vec<u8>) {
    let (units, odd) = bytes.as_chunks::<4>();
    for unit in units {
        let c = char::from_u32(u32::from_be_bytes(*unit));
        push_char(c.unwrap_or(char::REPLACEMENT_CHARACTER), out);
    }
    if !odd.is_empty() {
        push_char(char::REPLACEMENT_CHARACTER, out);
    }
}
