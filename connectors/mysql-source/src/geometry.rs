//! Geometries as the servers store them: the number of a reference system, little-endian, then well-known binary.

use connect_core::{Batch, Cell, Result};

use crate::error;

/// Bytes of the number.
const SRID: usize = 4;
/// Order of bytes, type, two coordinates.
const POINT: usize = 21;
/// The type of a point.
const POINT_TYPE: u32 = 1;

/// A geometry, whose bytes lie in the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry<'a> {
    /// The reference system; none for 0.
    pub srid: Option<i32>,
    /// Well-known binary.
    pub wkb: &'a [u8],
}

/// What stands for null where none may be: a collection of nothing.
pub const EMPTY: &[u8] = &[0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0];

impl<'a> Geometry<'a> {
    /// Of a value.
    pub fn of(value: &'a [u8]) -> Result<Self> {
        let (srid, wkb) = value.split_first_chunk::<SRID>().ok_or_else(malformed)?;
        // Order and type, at least.
        if wkb.len() < 5 {
            return Err(malformed());
        }
        let srid = i32::from_le_bytes(*srid);
        Ok(Self {
            srid: (srid != 0).then_some(srid),
            wkb,
        })
    }

    /// The fields of `io.debezium.data.geometry.Geometry`, with the cell of the binary.
    pub fn cell(&self, wkb: Cell, out: &mut Batch) -> Cell {
        let srid = self.srid();
        out.push_nest(&[wkb, srid])
    }

    /// The fields of `io.debezium.data.geometry.Point`, with the cell of the binary.
    pub fn point_cell(&self, wkb: Cell, out: &mut Batch) -> Result<Cell> {
        let (x, y) = self.coordinates().ok_or_else(malformed)?;
        let srid = self.srid();
        Ok(out.push_nest(&[Cell::Float(x), Cell::Float(y), wkb, srid]))
    }

    fn srid(&self) -> Cell {
        self.srid.map_or(Cell::Null, |srid| Cell::Int(srid.into()))
    }

    /// The coordinates of a point.
    pub fn coordinates(&self) -> Option<(f64, f64)> {
        if self.wkb.len() != POINT {
            return None;
        }
        let (order, rest) = self.wkb.split_first()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (x, rest) = rest.split_first_chunk::<8>()?;
        let y = rest.first_chunk::<8>()?;
        let (kind, x, y) = match order {
            0 => (
                u32::from_be_bytes(*kind),
                f64::from_be_bytes(*x),
                f64::from_be_bytes(*y),
            ),
            1 => (
                u32::from_le_bytes(*kind),
                f64::from_le_bytes(*x),
                f64::from_le_bytes(*y),
            ),
            _ => return None,
        };
        (kind == POINT_TYPE).then_some((x, y))
    }
}

#[cold]
fn malformed() -> connect_core::Error {
    error::value("a geometry is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(srid: i32) -> Vec<u8> {
        let mut value = srid.to_le_bytes().to_vec();
        value.extend_from_slice(&[1, 1, 0, 0, 0]);
        value.extend_from_slice(&1.5f64.to_le_bytes());
        value.extend_from_slice(&(-2.0f64).to_le_bytes());
        value
    }

    #[test]
    fn points_have_coordinates_and_perhaps_a_reference_system() {
        let value = point(4326);
        let geometry = Geometry::of(&value).unwrap();
        assert_eq!(geometry.srid, Some(4326));
        assert_eq!(geometry.coordinates(), Some((1.5, -2.0)));
        let mut out = Batch::default();
        let wkb = out.push_bytes(geometry.wkb);
        let Cell::Nest(nest) = geometry.point_cell(wkb, &mut out).unwrap() else {
            panic!("no struct");
        };
        let expected = [Cell::Float(1.5), Cell::Float(-2.0), wkb, Cell::Int(4326)];
        assert_eq!(out.cells(nest), expected);
        assert_eq!(Geometry::of(&point(0)).unwrap().srid, None);
        let empty = Geometry::of(EMPTY).unwrap();
        assert_eq!((empty.srid, empty.coordinates()), (None, None));
    }

    #[test]
    fn every_prefix_fails_politely() {
        let value = point(1);
        for end in 0..value.len() {
            let read = Geometry::of(&value[..end]);
            assert!(read.is_err() || read.unwrap().coordinates().is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panic(value: Vec<u8>) {
            if let Ok(geometry) = Geometry::of(&value) {
                let _ = geometry.point_cell(Cell::Null, &mut Batch::default());
            }
        }
    }
}
