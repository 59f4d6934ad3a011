//! PostGIS's text: extended well-known binary in hex.

use cdc::text::Text;
use connect_core::{Batch, Cell, Result};

use crate::{convert::is_hex, error};

/// What separates the items of arrays of this type (`pg_type.typdelim`).
pub(crate) const DELIMITER: u8 = b':';
/// The bit of the type that says that a reference system follows.
const HAS_SRID: u32 = 0x2000_0000;
/// Digits of order and type, those of a number.
const HEAD: usize = 10;
const NUMBER: usize = 8;

/// The cell of a struct of the bytes, which stay where they are, and the number of the reference system.
pub(crate) fn cell(text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let digits = text.bytes();
    // No geometry is shorter than an empty collection.
    if !is_hex(digits) || digits.len() < HEAD + NUMBER {
        return Err(malformed());
    }
    let is_little = digits.get(..2) != Some(b"00");
    let number = |at: usize| -> Result<u32> {
        let eight = digits.get(at..at + NUMBER).ok_or_else(malformed)?;
        let text = std::str::from_utf8(eight).map_err(|_| malformed())?;
        let number = u32::from_str_radix(text, 16).map_err(|_| malformed())?;
        Ok(if is_little {
            number.swap_bytes()
        } else {
            number
        })
    };
    let srid = match number(2)? & HAS_SRID {
        0 => Cell::Null,
        _ => Cell::Int(i64::from(number(HEAD)?.cast_signed())),
    };
    let wkb = text.keep(out);
    Ok(out.push_nest(&[wkb, srid]))
}

#[cold]
fn malformed() -> connect_core::Error {
    error::value("a geometry is not in the hex of well-known binary")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srid(hex: &str) -> Option<Cell> {
        let mut out = Batch::default();
        match cell(Text::loose(hex.as_bytes()), &mut out).ok()? {
            Cell::Nest(nest) => out.cells(nest).get(1).copied(),
            _ => None,
        }
    }

    #[test]
    fn the_reference_system_is_read_in_both_orders() {
        let little = "0101000020E6100000000000000000F03F0000000000000040";
        assert_eq!(srid(little), Some(Cell::Int(4326)));
        let big = "0020000001000010E63FF00000000000004000000000000000";
        assert_eq!(srid(big), Some(Cell::Int(4326)));
        assert_eq!(srid("010700000000000000"), Some(Cell::Null));
    }

    #[test]
    fn what_is_too_short_or_no_hex_fails_politely() {
        let whole = "0101000020E6100000";
        assert_eq!(srid(whole), Some(Cell::Int(4326)));
        for end in 0..whole.len() {
            assert_eq!(srid(&whole[..end]), None);
        }
        assert_eq!(srid("01070000000000000x"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panic(text: Vec<u8>) {
            let _ = cell(Text::loose(&text), &mut Batch::default());
        }
    }
}
