//! The texts of pgvector: `[1,2.5]` and `{1:2.5,7:1}/9`.

use cdc::text::Text;
use connect_core::{Batch, Cell, Result};

use crate::{convert::is_float, error};

/// The cell of a `vector` or `halfvec`: its numbers stay where they are.
pub(crate) fn cell(text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let inner = text.bytes().strip_prefix(b"[");
    let inner = inner.and_then(|inner| inner.strip_suffix(b"]"));
    let cells: Vec<Cell> = items(inner.ok_or_else(malformed)?)
        .map(|item| float(text, item, out))
        .collect::<Result<_>>()?;
    Ok(out.push_nest(&cells))
}

/// The cell of a `sparsevec`: dimensions and a map of those that are not zero.
pub(crate) fn sparse(text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    let slash = memchr::memchr(b'/', bytes).ok_or_else(malformed)?;
    let (items_of, dimensions) = bytes.split_at(slash);
    let inner = items_of.strip_prefix(b"{");
    let inner = inner.and_then(|inner| inner.strip_suffix(b"}"));
    let mut entries = Vec::new();
    for item in items(inner.ok_or_else(malformed)?) {
        let colon = memchr::memchr(b':', item).ok_or_else(malformed)?;
        let (index, value) = item.split_at(colon);
        let value = float(text, value.get(1..).unwrap_or(&[]), out)?;
        entries.push((small(index)?, value));
    }
    in_java_order(&mut entries);
    let cells: Vec<Cell> = entries
        .into_iter()
        .flat_map(|(index, value)| [Cell::Int(i64::from(index)), value])
        .collect();
    let dimensions = small(dimensions.get(1..).unwrap_or(&[]))?;
    let map = out.push_nest(&cells);
    Ok(out.push_nest(&[Cell::Int(i64::from(dimensions)), map]))
}

fn items(inner: &[u8]) -> impl Iterator<Item = &[u8]> {
    let items = inner.split(|byte| *byte == b',');
    items.filter(|_| !inner.is_empty())
}

fn float(text: Text<'_>, item: &[u8], out: &mut Batch) -> Result<Cell> {
    match is_float(item) {
        true => Ok(text.part(item).keep(out)),
        false => Err(malformed()),
    }
}

/// Debezium's schema has 16 bits for an index: a vector of more dimensions is not a value of it.
fn small(digits: &[u8]) -> Result<i16> {
    let text = std::str::from_utf8(digits).map_err(|_| malformed())?;
    text.parse().map_err(|_| {
        error::value("a sparse vector has more than 32767 dimensions, or is malformed")
    })
}

/// The order in which Java's `HashMap`, made for so many, gives numbers that are not negative.
fn in_java_order(entries: &mut [(i16, Cell)]) {
    let made_for = entries.len().next_power_of_two();
    // Doubled when more than three quarters are full.
    let mask = match entries.len() > made_for * 3 / 4 {
        true => made_for * 2 - 1,
        false => made_for - 1,
    };
    entries.sort_by_key(|(index, _)| usize::try_from(*index).unwrap_or_default() & mask);
}

#[cold]
fn malformed() -> connect_core::Error {
    error::value("a vector is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(is_sparse: bool, text: &str) -> Result<Cell> {
        let (text, mut out) = (Text::loose(text.as_bytes()), Batch::default());
        match is_sparse {
            true => sparse(text, &mut out),
            false => cell(text, &mut out),
        }
    }

    #[test]
    fn numbers_of_all_kinds_are_read() {
        for text in ["[]", "[1]", "[1.5,-2,1e-07,3.4028235e+38]"] {
            assert!(read(false, text).is_ok(), "{text}");
        }
        for text in ["{}/3", "{1:1.5}/3", "{1:1.5,3:-1e-07}/32767"] {
            assert!(read(true, text).is_ok(), "{text}");
        }
        assert!(read(true, "{1:1}/32768").is_err());
    }

    #[test]
    fn every_prefix_fails_politely() {
        for (is_sparse, whole, least) in [(false, "[1.5,-2]", 8), (true, "{1:1.5,3:2}/5", 13)] {
            for end in 0..least {
                assert!(read(is_sparse, &whole[..end]).is_err());
            }
            assert!(read(is_sparse, whole).is_ok());
        }
    }

    #[test]
    fn entries_come_in_the_order_of_buckets() {
        let ordered = |indexes: &[i16]| -> Vec<i16> {
            let mut entries: Vec<_> = indexes.iter().map(|index| (*index, Cell::Null)).collect();
            in_java_order(&mut entries);
            entries.iter().map(|(index, _)| *index).collect()
        };
        // Made for four, full, and so grown to eight.
        assert_eq!(ordered(&[4, 5, 9, 16]), [16, 9, 4, 5]);
        assert_eq!(ordered(&[3, 4, 6]), [4, 6, 3]);
        assert_eq!(ordered(&[2, 1]), [1, 2]);
    }

    proptest::proptest! {
        #[test]
        fn never_panic(text: String) {
            let _ = (read(false, &text), read(true, &text));
        }
    }
}
