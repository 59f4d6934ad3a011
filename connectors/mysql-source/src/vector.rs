//! `VECTOR`: floats of four bytes, little-endian, end to end.

use connect_core::{Batch, Cell, Result};

use crate::error;

/// The cell of an array of floats.
pub fn cell(value: &[u8], out: &mut Batch) -> Result<Cell> {
    let (floats, odd) = value.as_chunks::<4>();
    if !odd.is_empty() {
        return Err(error::value("a vector has a part of a number"));
    }
    let nest = out.reserve_nest(floats.len());
    for (cell, float) in out.cells_mut(nest).iter_mut().zip(floats) {
        *cell = Cell::Float(f32::from_le_bytes(*float).into());
    }
    Ok(Cell::Nest(nest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_end_to_end() {
        let value: Vec<u8> = [1.5f32, -2.0]
            .iter()
            .flat_map(|f| f.to_le_bytes())
            .collect();
        let mut out = Batch::default();
        let Ok(Cell::Nest(nest)) = cell(&value, &mut out) else {
            panic!("no array");
        };
        assert_eq!(out.cells(nest), [Cell::Float(1.5), Cell::Float(-2.0)]);
        assert!(cell(&[], &mut out).is_ok());
        for end in [1, 2, 3, 5, 6, 7] {
            assert!(cell(&value[..end], &mut out).is_err());
        }
    }
}
