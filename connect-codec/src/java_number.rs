//! Numbers as Java prints them: `Double.toString`, `Float.toString`, `BigDecimal.toString`.

use std::io::Write;

use connect_core::{Error, Result};

use crate::error::MISMATCH;

/// Most characters that `{:e}` needs for any finite `f64`, with room to spare.
const SCRATCH: usize = 40;

/// Appends `Double.toString`: shortest digits, `1.0E10` from 10⁷ up and below 10⁻³, `NaN`, `Infinity`.
pub(crate) fn write_double(number: f64, out: &mut Vec<u8>) {
    if special(number, out) {
        return;
    }
    let mut scratch = Scratch::default();
    let _ = write!(scratch, "{number:e}");
    if scratch.one_digit() {
        let mut longer = Scratch::default();
        let _ = write!(longer, "{number:.1e}");
        if longer.text().parse() == Ok(number) {
            scratch = longer;
        }
    }
    arrange(scratch.text(), out);
}

/// Appends `Float.toString`.
pub(crate) fn write_float(number: f32, out: &mut Vec<u8>) {
    if special(f64::from(number), out) {
        return;
    }
    let mut scratch = Scratch::default();
    let _ = write!(scratch, "{number:e}");
    if scratch.one_digit() {
        let mut longer = Scratch::default();
        let _ = write!(longer, "{number:.1e}");
        if longer.text().parse() == Ok(number) {
            scratch = longer;
        }
    }
    arrange(scratch.text(), out);
}

/// Appends ASCII decimal `digits` of a double (`single`: of a float) as Java prints that number.
pub(crate) fn write_float_digits(digits: &[u8], single: bool, out: &mut Vec<u8>) -> Result<()> {
    if plain_float(digits, if single { 6 } else { 15 }, out) {
        return Ok(());
    }
    let text = std::str::from_utf8(digits).map_err(|_| not_number())?;
    let known = matches!(text, "NaN" | "Infinity" | "-Infinity");
    if !known
        && !digits
            .last()
            .is_some_and(|b| b.is_ascii_digit() || *b == b'.')
    {
        return Err(not_number());
    }
    if single {
        write_float(text.parse().map_err(|_| not_number())?, out);
    } else {
        write_double(text.parse().map_err(|_| not_number())?, out);
    }
    Ok(())
}

/// Appends `BigDecimal.toString` of plain decimal `text` brought to `scale` digits after the point.
pub(crate) fn write_big_decimal(text: &[u8], scale: usize, out: &mut Vec<u8>) -> Result<()> {
    let (sign, unsigned) = match text {
        [b'-', rest @ ..] => (&b"-"[..], rest),
        [b'+', rest @ ..] => (&b""[..], rest),
        rest => (&b""[..], rest),
    };
    let (whole, fraction) = match memchr::memchr(b'.', unsigned) {
        Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        None => (unsigned, &b""[..]),
    };
    let digits = || whole.iter().chain(fraction);
    if digits().next().is_none() || !digits().all(u8::is_ascii_digit) {
        return Err(not_number());
    }
    let kept = &fraction[..fraction.len().min(scale)];
    if fraction[kept.len()..].iter().any(|b| *b != b'0') {
        return Err(Error::new(
            &MISMATCH,
            "a decimal has more digits than its scale",
        ));
    }
    let padding = scale - kept.len();
    let significant: Vec<u8> = whole
        .iter()
        .chain(kept)
        .copied()
        .chain(std::iter::repeat_n(b'0', padding))
        .skip_while(|b| *b == b'0')
        .collect();
    let zero = significant.is_empty();
    let length = significant.len().max(1);
    let exponent = length as i64 - 1 - scale as i64;
    if !zero {
        out.extend_from_slice(sign);
    }
    if exponent < -6 {
        let digits = if zero { b"0" } else { &significant[..] };
        scientific(digits, exponent, out);
        return Ok(());
    }
    let lead = whole.iter().skip_while(|b| **b == b'0').count();
    match lead {
        0 => out.push(b'0'),
        _ => out.extend_from_slice(&whole[whole.len() - lead..]),
    }
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(kept);
        out.resize(out.len() + padding, b'0');
    }
    Ok(())
}

/// Appends the digits of a whole number after a look that they are nothing else.
pub(crate) fn write_whole_digits(digits: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(not_number());
    }
    out.extend_from_slice(digits);
    Ok(())
}

fn scientific(digits: &[u8], exponent: i64, out: &mut Vec<u8>) {
    let (first, rest) = digits.split_at(1.min(digits.len()));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    out.push(b'E');
    if exponent > 0 {
        out.push(b'+');
    }
    out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
}

fn not_number() -> Error {
    Error::new(&MISMATCH, "the digits of a number are not a number")
}

fn special(number: f64, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = if number.is_nan() {
        b"NaN"
    } else if number.is_infinite() {
        if number > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        }
    } else {
        return false;
    };
    out.extend_from_slice(text);
    true
}

/// Copies plain decimal digits that already are Java's shortest form; most floats of a database are.
fn plain_float(text: &[u8], most_digits: usize, out: &mut Vec<u8>) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let point = memchr::memchr(b'.', unsigned).unwrap_or(unsigned.len());
    let (whole, fraction) = unsigned.split_at(point);
    let mut fraction = fraction.get(1..).unwrap_or(&[]);
    while let [rest @ .., b'0'] = fraction {
        fraction = rest;
    }
    let fits = (1..=7).contains(&whole.len())
        && whole.len() + fraction.len() <= most_digits
        && whole.iter().chain(fraction).all(u8::is_ascii_digit)
        && (whole[0] != b'0' || (whole.len() == 1 && not_tiny(fraction)));
    if fits {
        out.extend_from_slice(&text[..text.len() - unsigned.len() + whole.len()]);
        out.push(b'.');
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
    }
    fits
}

/// Whether `0.fraction` is zero or at least 0.001.
fn not_tiny(fraction: &[u8]) -> bool {
    fraction.is_empty() || fraction.iter().take(3).any(|b| *b != b'0')
}

/// Brings `d.ddde±x` into Java's layout.
fn arrange(text: &str, out: &mut Vec<u8>) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    if unsigned.len() < mantissa.len() {
        out.push(b'-');
    }
    let (first, rest) = unsigned.split_at(1);
    let rest = rest.strip_prefix('.').filter(|rest| *rest != "0");
    let rest = rest.unwrap_or("");
    match exponent {
        0..7 => {
            let shift = exponent as usize;
            let (whole, fraction) = rest.split_at(shift.min(rest.len()));
            out.extend_from_slice(first.as_bytes());
            out.extend_from_slice(whole.as_bytes());
            out.resize(out.len() + shift - whole.len(), b'0');
            out.push(b'.');
            out.extend_from_slice(or_zero(fraction));
        }
        -3..0 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-exponent - 1) as usize, b'0');
            out.extend_from_slice(first.as_bytes());
            out.extend_from_slice(rest.as_bytes());
        }
        _ => {
            out.extend_from_slice(first.as_bytes());
            out.push(b'.');
            out.extend_from_slice(or_zero(rest));
            out.push(b'E');
            out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
        }
    }
}

fn or_zero(fraction: &str) -> &[u8] {
    if fraction.is_empty() {
        b"0"
    } else {
        fraction.as_bytes()
    }
}

/// A few bytes on the stack to print into.
struct Scratch {
    bytes: [u8; SCRATCH],
    len: usize,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            bytes: [0; SCRATCH],
            len: 0,
        }
    }
}

impl Scratch {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("0e0")
    }

    /// Whether the shortest form has one digit: there Java takes two, where two are closer.
    fn one_digit(&self) -> bool {
        self.bytes.get(1) == Some(&b'e') || self.bytes.get(2) == Some(&b'e')
    }
}

impl Write for Scratch {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        let room = self.bytes.get_mut(self.len..self.len + from.len());
        room.ok_or(std::io::ErrorKind::WriteZero)?
            .copy_from_slice(from);
        self.len += from.len();
        Ok(from.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(number: f64) -> String {
        let mut out = Vec::new();
        write_double(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn float(number: f32) -> String {
        let mut out = Vec::new();
        write_float(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn digits(text: &str, single: bool) -> String {
        let mut out = Vec::new();
        write_float_digits(text.as_bytes(), single, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn decimal(text: &str, scale: usize) -> String {
        let mut out = Vec::new();
        write_big_decimal(text.as_bytes(), scale, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    // Printed by a Java 25 `Double.toString` and `Float.toString`.
    #[test]
    fn doubles_and_floats_are_those_of_java() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.9, "1.23456789E7"),
            (1e-3, "0.001"),
            (9.99e-4, "9.99E-4"),
            (-123.456, "-123.456"),
            (1e23, "1.0E23"),
            (2e-323, "2.0E-323"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (123_456_789_012_345_680.0, "1.2345678901234568E17"),
            (100.0, "100.0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(number), text);
        }
        for (number, text) in [
            (f32::from_bits(1), "1.4E-45"),
            (f32::from_bits(2), "2.8E-45"),
            (f32::from_bits(8), "1.1E-44"),
            (f32::MAX, "3.4028235E38"),
            (0.1, "0.1"),
            (1.175_494_4e-38, "1.1754944E-38"),
            (16_777_216.0, "1.6777216E7"),
        ] {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn digits_of_a_database_take_the_form_of_java() {
        for (from, to) in [
            ("1", "1.0"),
            ("-12.50", "-12.5"),
            ("0.000", "0.0"),
            ("-0", "-0.0"),
            ("0.0001", "1.0E-4"),
            ("0.001", "0.001"),
            ("1e+10", "1.0E10"),
            ("123456789", "1.23456789E8"),
            ("Infinity", "Infinity"),
            ("0.1234567890123456789", "0.12345678901234568"),
        ] {
            assert_eq!(digits(from, false), to);
        }
        assert_eq!(digits("0.1234567", true), "0.1234567");
        for bad in ["", "-", ".", "1x", "inf", "nan", "1e", "0x10"] {
            let bad = bad.as_bytes();
            assert!(write_float_digits(bad, false, &mut Vec::new()).is_err());
        }
    }

    // Printed by Java's `BigDecimal.toString`.
    #[test]
    fn decimals_are_those_of_java() {
        for (text, scale, expected) in [
            ("12.50", 2, "12.50"),
            ("12.5", 2, "12.50"),
            ("0", 2, "0.00"),
            ("-0.01", 2, "-0.01"),
            ("0", 7, "0E-7"),
            ("0.0000001", 7, "1E-7"),
            ("0.000001", 6, "0.000001"),
            ("-0.00000012", 8, "-1.2E-7"),
            ("007", 0, "7"),
            ("1000", 0, "1000"),
        ] {
            assert_eq!(decimal(text, scale), expected);
        }
        for bad in ["", "-", "1.234", "NaN", "1e5"] {
            assert!(write_big_decimal(bad.as_bytes(), 2, &mut Vec::new()).is_err());
        }
    }
}
