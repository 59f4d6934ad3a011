//! Decimals that stand in JSON as numbers.

use connect_core::{Error, Result};

use super::schema_read::MAX_SCALE;
use crate::error::MISMATCH;

/// Appends a JSON number as plain decimal text with at least `scale` digits after the point.
///
/// Digits beyond the scale stay, since the number has them.
pub(super) fn write_plain(number: &str, scale: usize, out: &mut Vec<u8>) -> Result<()> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| too_long())?),
        None => (number, 0i64),
    };
    if exponent.unsigned_abs() > MAX_SCALE as u64 {
        return Err(too_long());
    }
    let (sign, unsigned) = match mantissa.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let point = whole.len() as i64 + exponent;
    let digit = |at: i64| {
        let known = usize::try_from(at).ok().and_then(|at| digits.get(at));
        known.copied().unwrap_or(b'0')
    };
    out.extend_from_slice(sign.as_bytes());
    let first = (0..point.max(1) - 1).find(|at| digit(*at) != b'0');
    let first = first.unwrap_or(point - 1).min(point - 1);
    out.extend((first..point).map(digit));
    let last = point + scale as i64;
    let own = digits.len() as i64;
    if last.max(own) > point {
        out.push(b'.');
        out.extend((point..last.max(own)).map(digit));
    }
    Ok(())
}

fn too_long() -> Error {
    Error::new(&MISMATCH, "A decimal has too many digits")
}
