//! Avro's whole numbers: zigzag, seven bits a byte, the lowest first.

use connect_core::{Error, Result};

use crate::error::{MISMATCH, PAYLOAD};

/// Appends a number.
#[inline]
pub(crate) fn write_long(number: i64, out: &mut Vec<u8>) {
    write_unsigned(((number << 1) ^ (number >> 63)) as u64, out);
}

/// Appends a number without sign.
#[inline]
pub(crate) fn write_unsigned(mut rest: u64, out: &mut Vec<u8>) {
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    let mut bytes = [0_u8; 10];
    let mut length = 0;
    for byte in &mut bytes {
        length += 1;
        if rest < 0x80 {
            *byte = rest as u8;
            break;
        }
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    // A copy of known length is cheaper than one of any length.
    let end = out.len() + length;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

/// Appends a length.
#[inline]
pub(crate) fn write_length(length: usize, out: &mut Vec<u8>) {
    write_unsigned((length as u64) << 1, out);
}

/// Takes a number without sign off the front.
#[inline]
pub(crate) fn read_unsigned(bytes: &mut &[u8]) -> Result<u64> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7f);
        if at == 9 && part > 1 {
            break;
        }
        number |= part << (at * 7);
        if byte & 0x80 == 0 {
            *bytes = bytes.get(at + 1..).unwrap_or_default();
            return Ok(number);
        }
    }
    Err(Error::new(&PAYLOAD, "a number does not end"))
}

/// Takes a number off the front.
#[inline]
pub(crate) fn read_long(bytes: &mut &[u8]) -> Result<i64> {
    let number = read_unsigned(bytes)?;
    Ok((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// The whole number that ASCII digits stand for.
#[inline]
pub(crate) fn whole(digits: &[u8]) -> Result<i64> {
    let wrong = || {
        Error::new(
            &MISMATCH,
            "the digits of a number are not a number of its type",
        )
    };
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    if unsigned.is_empty() || unsigned.len() > 19 {
        return Err(wrong());
    }
    let mut number = 0_u64;
    for byte in unsigned {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(wrong());
        }
        // Nineteen digits fit.
        number = number * 10 + u64::from(digit);
    }
    let signed = i128::from(number);
    let signed = if unsigned.len() < digits.len() {
        -signed
    } else {
        signed
    };
    i64::try_from(signed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, -1, 63, 64, -64, -65, 8191, 8192, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_long(number, &mut out);
            let mut rest = out.as_slice();
            assert_eq!(read_long(&mut rest).unwrap(), number);
            assert!(rest.is_empty());
            for end in 0..out.len() {
                assert!(read_long(&mut &out[..end]).is_err());
            }
        }
        assert!(read_unsigned(&mut &[0xff; 11][..]).is_err());
        assert!(
            read_unsigned(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2][..])
                .is_err()
        );
    }

    #[test]
    fn digits_are_read_to_the_limits() {
        for number in [0, -7, i64::MAX, i64::MIN] {
            assert_eq!(whole(number.to_string().as_bytes()).unwrap(), number);
        }
        for bad in [
            "",
            "-",
            "9223372036854775808",
            "1.5",
            "99999999999999999999",
            "1e3",
        ] {
            assert!(whole(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
