//! Packed decimals (`bin2decimal` of the servers): groups of nine digits in four bytes, fewer digits in fewer.

use connect_core::Result;

use crate::error;

/// The servers have no more digits.
pub const MAX_PRECISION: u8 = 81;
/// Digits of a whole group, and its bytes.
const GROUP: usize = 9;
const GROUP_BYTES: usize = 4;
/// The bytes of so many digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// How many bytes a decimal takes.
pub fn width(precision: u8, scale: u8) -> usize {
    let (whole, fraction) = parts(precision, scale);
    let bytes = |digits: usize| digits / GROUP * GROUP_BYTES + BYTES[digits % GROUP];
    bytes(whole) + bytes(fraction)
}

/// Digits before and behind the point.
fn parts(precision: u8, scale: u8) -> (usize, usize) {
    let whole = precision.saturating_sub(scale);
    (usize::from(whole), usize::from(scale))
}

/// Writes a decimal as text: a sign where it is negative, no leading zeros, all digits behind the point.
pub fn push(bytes: &[u8], precision: u8, scale: u8, out: &mut Vec<u8>) -> Result<()> {
    let (whole, fraction) = parts(precision, scale);
    let is_negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let start = out.len();
    if is_negative {
        out.push(b'-');
    }
    let mut groups = Groups {
        bytes,
        flipped: if is_negative { 0xff } else { 0 },
        // The highest bit says that it is positive.
        first: 0x80,
    };
    let digits = out.len();
    groups.push(whole % GROUP, out)?;
    for _ in 0..whole / GROUP {
        groups.push(GROUP, out)?;
    }
    let zeros = out
        .iter()
        .skip(digits)
        .take_while(|digit| **digit == b'0')
        .count();
    out.drain(digits..digits + zeros);
    if out.len() == digits {
        out.push(b'0');
    }
    if fraction > 0 {
        out.push(b'.');
        for _ in 0..fraction / GROUP {
            groups.push(GROUP, out)?;
        }
        groups.push(fraction % GROUP, out)?;
    }
    let is_zero = |text: &[u8]| text.iter().all(|byte| matches!(byte, b'0' | b'.' | b'-'));
    if is_negative && out.get(start..).is_some_and(is_zero) {
        out.remove(start);
    }
    Ok(())
}

struct Groups<'a> {
    bytes: &'a [u8],
    flipped: u8,
    first: u8,
}

impl Groups<'_> {
    /// The next so many digits.
    fn push(&mut self, digits: usize, out: &mut Vec<u8>) -> Result<()> {
        let len = if digits == GROUP {
            GROUP_BYTES
        } else {
            BYTES[digits % GROUP]
        };
        let cut = || error::value("a decimal is cut short");
        let (group, rest) = self.bytes.split_at_checked(len).ok_or_else(cut)?;
        self.bytes = rest;
        let mut number = 0u32;
        for byte in group {
            number = number << 8 | u32::from(byte ^ self.flipped ^ std::mem::take(&mut self.first));
        }
        let mut text = [0; GROUP];
        for digit in text.iter_mut().take(digits).rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        if number > 0 {
            return Err(error::value("a decimal has more digits than its column"));
        }
        out.extend_from_slice(text.get(..digits).unwrap_or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], precision: u8, scale: u8) -> String {
        let mut out = Vec::new();
        push(bytes, precision, scale, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_are_those_of_the_servers_documentation() {
        let bytes = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
        assert_eq!(width(14, 4), 7);
        assert_eq!(text(&bytes, 14, 4), "1234567890.1234");
        let negative = bytes.map(|byte| !byte);
        assert_eq!(text(&negative, 14, 4), "-1234567890.1234");
        assert_eq!(text(&[0x80], 1, 0), "0");
        assert_eq!(text(&[0x80, 0x32], 3, 2), "0.50");
        assert_eq!(text(&[0x7f, 0xff], 3, 2), "0.00");
    }

    #[test]
    fn what_is_cut_or_too_large_is_refused() {
        let mut out = Vec::new();
        for end in 0..7 {
            assert!(push(&[0x81; 7][..end], 14, 4, &mut out).is_err());
        }
        assert!(push(&[0x80 | 100], 1, 0, &mut out).is_err());
    }
}
