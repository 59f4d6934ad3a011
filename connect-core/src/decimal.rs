//! Kafka Connect's `Decimal`: unscaled big-endian two's complement bytes beside ASCII decimal text.

use std::sync::Arc;

use crate::{Batch, Cell, Error, Form, Result, Schema, Value, schema::logical};

/// Appends the unscaled value of decimal `text` at `scale` as big-endian two's complement, shortest form
/// (`java.math.BigInteger.toByteArray`). Digits beyond the scale must be zeros.
pub fn unscaled(text: &[u8], scale: usize, out: &mut Vec<u8>) -> Result<()> {
    let (negative, digits) = sign(text);
    let (whole, fraction) = split(digits);
    let kept = fraction.get(..scale).unwrap_or(fraction);
    let beyond = fraction.get(scale..).unwrap_or(&[]);
    if (whole.is_empty() && fraction.is_empty()) || beyond.iter().any(|b| *b != b'0') {
        return Err(not_decimal());
    }
    let zeros = std::iter::repeat_n(&b'0', scale - kept.len());
    let mut magnitude: Vec<u32> = Vec::with_capacity(digits.len() / 9 + 1);
    for digit in whole.iter().chain(kept).chain(zeros) {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return Err(not_decimal());
        }
        multiply_add(&mut magnitude, u32::from(digit));
    }
    twos_complement(&magnitude, negative, out);
    Ok(())
}

/// Appends the decimal text of big-endian two's complement bytes at `scale`.
pub fn to_text(bytes: &[u8], scale: usize, out: &mut Vec<u8>) {
    let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
    let digits = digits_of(bytes, negative);
    if negative {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(&digits);
        return;
    }
    let padding = (scale + 1).saturating_sub(digits.len());
    let all: Vec<u8> = std::iter::repeat_n(b'0', padding).chain(digits).collect();
    let (whole, fraction) = all.split_at(all.len() - scale);
    out.extend_from_slice(whole);
    out.push(b'.');
    out.extend_from_slice(fraction);
}

/// The `scale` parameter of a `Decimal` schema; `None` for other schemas.
pub fn scale_of(schema: &Schema) -> Option<usize> {
    if !schema.is(logical::DECIMAL) {
        return None;
    }
    schema.parameter_value("scale")?.parse().ok()
}

/// Span bytes as an owned value in plain form.
pub(crate) fn plain_bytes(schema: Option<&Arc<Schema>>, bytes: &[u8], form: Form) -> Value {
    match form {
        Form::Plain => Value::Bytes(bytes.to_vec()),
        Form::Hex => Value::Bytes(unhex(bytes)),
        Form::DecimalText => {
            let scale = schema.and_then(|s| scale_of(s)).unwrap_or(0);
            let mut out = Vec::new();
            match unscaled(bytes, scale, &mut out) {
                Ok(()) => Value::Bytes(out),
                Err(_) => Value::Digits(String::from_utf8_lossy(bytes).into_owned()),
            }
        }
    }
}

/// Puts plain bytes into a cell in the form of the schema.
pub(crate) fn push_plain(batch: &mut Batch, schema: &Schema, bytes: &[u8]) -> Cell {
    let at = batch.arena().len();
    match schema.form {
        Form::Plain => batch.arena().extend_from_slice(bytes),
        Form::Hex => {
            let hex = bytes.iter().flat_map(|b| [nibble(b >> 4), nibble(b & 15)]);
            batch.arena().extend(hex);
        }
        Form::DecimalText => to_text(bytes, scale_of(schema).unwrap_or(0), batch.arena()),
    }
    batch.made_since(at)
}

/// The bytes behind hex digits; a byte that is no hex digit counts as zero, an odd one is left out.
pub fn unhex(hex: &[u8]) -> Vec<u8> {
    hex.chunks_exact(2)
        .map(|pair| (unnibble(pair[0]) << 4) | unnibble(pair[1]))
        .collect()
}

fn nibble(n: u8) -> u8 {
    if n < 10 { b'0' + n } else { b'a' + n - 10 }
}

fn unnibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn not_decimal() -> Error {
    Error::record("a number does not fit its decimal column")
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    }
}

fn split(digits: &[u8]) -> (&[u8], &[u8]) {
    match digits.iter().position(|b| *b == b'.') {
        Some(dot) => (&digits[..dot], &digits[dot + 1..]),
        None => (digits, &[]),
    }
}

/// `magnitude = magnitude * 10 + digit`, little-endian limbs.
fn multiply_add(magnitude: &mut Vec<u32>, digit: u32) {
    let mut carry = u64::from(digit);
    for limb in magnitude.iter_mut() {
        let product = u64::from(*limb) * 10 + carry;
        *limb = product as u32;
        carry = product >> 32;
    }
    if carry != 0 {
        magnitude.push(carry as u32);
    }
}

fn twos_complement(magnitude: &[u32], negative: bool, out: &mut Vec<u8>) {
    let mut bytes: Vec<u8> = magnitude
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect();
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.drain(..zeros);
    bytes.insert(0, 0);
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = over;
        }
    }
    let redundant = bytes
        .windows(2)
        .take_while(|w| (w[0] == 0 && w[1] & 0x80 == 0) || (w[0] == 0xff && w[1] & 0x80 != 0))
        .count();
    out.extend_from_slice(&bytes[redundant..]);
}

fn digits_of(bytes: &[u8], negative: bool) -> Vec<u8> {
    let mut number: Vec<u8> = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in number.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = over;
        }
    }
    let mut digits = Vec::new();
    while number.iter().any(|b| *b != 0) {
        let mut rest = 0u32;
        for byte in number.iter_mut() {
            let part = (rest << 8) | u32::from(*byte);
            *byte = (part / 10) as u8;
            rest = part % 10;
        }
        digits.push(b'0' + rest as u8);
    }
    if digits.is_empty() {
        digits.push(b'0');
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str, scale: usize) -> Vec<u8> {
        let mut out = Vec::new();
        unscaled(text.as_bytes(), scale, &mut out).unwrap();
        out
    }

    fn text(bytes: &[u8], scale: usize) -> String {
        let mut out = Vec::new();
        to_text(bytes, scale, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_bytes_are_those_of_java_big_integer() {
        assert_eq!(bytes("0", 0), [0]);
        assert_eq!(bytes("127", 0), [127]);
        assert_eq!(bytes("128", 0), [0, 128]);
        assert_eq!(bytes("-128", 0), [0x80]);
        assert_eq!(bytes("-129", 0), [0xff, 0x7f]);
        assert_eq!(bytes("-1", 0), [0xff]);
        assert_eq!(bytes("1.5", 2), [0, 150]);
        assert_eq!(bytes("-0.01", 2), [0xff]);
    }

    #[test]
    fn text_and_bytes_turn_into_each_other() {
        for (number, scale) in [
            ("12345678901234567890123456789.0123456789", 10),
            ("-12345678901234567890123456789.0123456789", 10),
            ("0.001", 3),
            ("-255", 0),
            ("65536", 0),
        ] {
            assert_eq!(text(&bytes(number, scale), scale), number);
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in ["", "NaN", "1e5", "1.23", "--1", "."] {
            assert!(
                unscaled(bad.as_bytes(), 1, &mut Vec::new()).is_err(),
                "{bad}"
            );
        }
    }
}
