//! Well-Known Binary and PostGIS' extension of it: <https://libgeos.org/specifications/wkb>. ISO's own forms with Z and M are none of these.

use connect_core::{Error, Result};

const HAS_Z: u32 = 0x8000_0000;
const HAS_M: u32 = 0x4000_0000;
const HAS_SRID: u32 = 0x2000_0000;

/// Collections within collections; deeper ones are refused. No editor makes more than a few.
const DEEPEST: usize = 64;

/// Whether an SRID is within the bytes.
pub(super) fn is_extended(wkb: &[u8]) -> bool {
    Walk::new(wkb).head().is_ok_and(|ty| ty & HAS_SRID != 0)
}

/// The same geometry with an SRID within the bytes.
pub(super) fn with_srid(wkb: &[u8], srid: i32) -> Result<Vec<u8>> {
    let mut walk = Walk::new(wkb);
    let ty = walk.head()? | HAS_SRID;
    let mut new = Vec::with_capacity(wkb.len() + 4);
    new.extend_from_slice(wkb.get(..1).unwrap_or_default());
    new.extend(walk.order.bytes(ty));
    new.extend(walk.order.bytes(srid.cast_unsigned()));
    new.extend_from_slice(wkb.get(walk.at..).unwrap_or_default());
    Ok(new)
}

/// An extended geometry without the SRID within the bytes.
pub(super) fn without_srid(wkb: &[u8]) -> Result<Vec<u8>> {
    let mut walk = Walk::new(wkb);
    let ty = walk.head()? & !HAS_SRID;
    walk.int()?;
    let mut new = wkb.get(..1).unwrap_or_default().to_vec();
    new.extend(walk.order.bytes(ty));
    new.extend_from_slice(wkb.get(walk.at..).unwrap_or_default());
    Ok(new)
}

/// The same geometry with the first two numbers of every point in the other order. Bytes behind it are left out.
pub(super) fn swapped(wkb: &[u8]) -> Result<Vec<u8>> {
    let mut walk = Walk::new(wkb);
    walk.geometry(DEEPEST)?;
    walk.bytes.truncate(walk.at);
    Ok(walk.bytes)
}

#[derive(Clone, Copy)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn bytes(self, int: u32) -> [u8; 4] {
        match self {
            Self::Big => int.to_be_bytes(),
            Self::Little => int.to_le_bytes(),
        }
    }
}

/// A walk over a geometry that swaps where it goes.
struct Walk {
    bytes: Vec<u8>,
    at: usize,
    order: Order,
}

impl Walk {
    fn new(wkb: &[u8]) -> Self {
        Self {
            bytes: wkb.to_vec(),
            at: 0,
            order: Order::Big,
        }
    }

    /// The order of bytes, and the type with its flags.
    fn head(&mut self) -> Result<u32> {
        let order = self.bytes.get(self.at).ok_or_else(short)?;
        self.order = match order {
            1 => Order::Little,
            _ => Order::Big,
        };
        self.at += 1;
        self.int()
    }

    fn int(&mut self) -> Result<u32> {
        let bytes = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let bytes = *bytes.ok_or_else(short)?;
        self.at += 4;
        Ok(match self.order {
            Order::Big => u32::from_be_bytes(bytes),
            Order::Little => u32::from_le_bytes(bytes),
        })
    }

    fn geometry(&mut self, depth: usize) -> Result<()> {
        let ty = self.head()?;
        if ty & HAS_SRID != 0 {
            self.int()?;
        }
        let numbers = 2 + usize::from(ty & HAS_Z != 0) + usize::from(ty & HAS_M != 0);
        match ty & 0xff {
            1 => self.point(numbers),
            2 => self.points(numbers),
            3 => self.rings(numbers),
            4 => self.parts(|walk| walk.head().and_then(|_| walk.point(numbers))),
            5 => self.parts(|walk| walk.head().and_then(|_| walk.points(numbers))),
            6 => self.parts(|walk| walk.head().and_then(|_| walk.rings(numbers))),
            7 if depth > 0 => self.parts(|walk| walk.geometry(depth - 1)),
            7 => Err(Error::record(
                "A geometry has too many collections within each other",
            )),
            other => Err(Error::record("A geometry is of an unknown type").context("type", other)),
        }
    }

    /// A count, and so many parts, each in its own order of bytes. A negative count is none, as in Java.
    fn parts(&mut self, part: impl Fn(&mut Self) -> Result<()>) -> Result<()> {
        let order = self.order;
        let count = self.int()?.cast_signed();
        for _ in 0..count {
            part(self)?;
            self.order = order;
        }
        Ok(())
    }

    fn rings(&mut self, numbers: usize) -> Result<()> {
        self.parts(|walk| walk.points(numbers))
    }

    fn points(&mut self, numbers: usize) -> Result<()> {
        self.parts(|walk| walk.point(numbers))
    }

    fn point(&mut self, numbers: usize) -> Result<()> {
        let end = self.at + 8 * numbers;
        let point = self.bytes.get_mut(self.at..end).ok_or_else(short)?;
        let (x, rest) = point.split_at_mut(8);
        let (y, _) = rest.split_at_mut(8);
        x.swap_with_slice(y);
        self.at = end;
        Ok(())
    }
}

fn short() -> Error {
    Error::record("A geometry ends too early")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A collection of a polygon (big endian) and of points with Z (little endian), with an SRID.
    fn collection() -> Vec<u8> {
        let double = |order: Order, number: f64| match order {
            Order::Big => number.to_be_bytes(),
            Order::Little => number.to_le_bytes(),
        };
        let mut wkb = vec![1, 7, 0, 0, 0x20, 0xe6, 0x10, 0, 0, 2, 0, 0, 0];
        wkb.extend([0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2]);
        for number in [1.0, 2.0, 3.0, 4.0] {
            wkb.extend(double(Order::Big, number));
        }
        wkb.extend([1, 4, 0, 0, 0x80, 1, 0, 0, 0, 1, 1, 0, 0, 0x80]);
        for number in [5.0, 6.0, 7.0] {
            wkb.extend(double(Order::Little, number));
        }
        wkb
    }

    #[test]
    fn each_point_is_swapped_in_its_own_order_of_bytes() {
        let wkb = collection();
        let new = swapped(&wkb).unwrap();
        let changed: Vec<usize> = (0..wkb.len()).filter(|at| wkb[*at] != new[*at]).collect();
        assert!(
            changed
                .iter()
                .all(|at| (26..58).contains(at) || (72..88).contains(at))
        );
        assert_eq!(new[26..34], 2.0_f64.to_be_bytes());
        assert_eq!(new[72..80], 6.0_f64.to_le_bytes());
        assert_eq!(new[88..], 7.0_f64.to_le_bytes());
        assert_eq!(swapped(&new).unwrap(), wkb);
        assert_eq!(
            swapped(&[&wkb[..], &[9]].concat()).unwrap().len(),
            wkb.len()
        );
    }

    #[test]
    fn every_prefix_fails_politely() {
        let wkb = collection();
        for end in 0..wkb.len() {
            assert!(swapped(&wkb[..end]).is_err(), "{end}");
        }
        for end in 0..9 {
            assert!(without_srid(&wkb[..end]).is_err(), "{end}");
        }
        assert!(with_srid(&wkb[..4], 1).is_err());
        let deep = [[1, 7, 0, 0, 0, 1, 0, 0, 0]; 1_000].concat();
        assert!(swapped(&deep).unwrap_err().to_string().contains("too many"));
    }

    #[test]
    fn an_srid_comes_and_goes() {
        let wkb = collection();
        let plain = without_srid(&wkb).unwrap();
        assert!(is_extended(&wkb) && !is_extended(&plain));
        assert_eq!(with_srid(&plain, 4326).unwrap(), wkb);
    }

    proptest! {
        #[test]
        fn any_bytes_are_swapped_back_or_refused(bytes: Vec<u8>) {
            if let Ok(new) = swapped(&bytes) {
                prop_assert_eq!(&swapped(&new).unwrap()[..], &bytes[..new.len()]);
            }
            let _ = without_srid(&bytes);
        }
    }
}
