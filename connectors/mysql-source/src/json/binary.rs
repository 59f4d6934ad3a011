//! The values of a binary document, read where they lie.

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Object(Container<'a>),
    Array(Container<'a>),
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(&'a [u8]),
    /// The type of a column, and what the server keeps of its value.
    Opaque(u8, &'a [u8]),
}

/// An object or an array: a head, entries of names, entries of values, names, values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    /// Bytes of offsets: 2, or 4 in large ones.
    wide: usize,
    pub is_object: bool,
    pub count: usize,
}

impl<'a> Value<'a> {
    /// The value of a whole document.
    pub(super) fn root(document: &'a [u8]) -> Option<Self> {
        let (kind, bytes) = document.split_first()?;
        Self::of(*kind, bytes)
    }

    /// The bytes that it takes outside of its entry.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Object(of) | Self::Array(of) => of.bytes.len(),
            Self::Text(bytes) | Self::Opaque(_, bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// The value that begins where `bytes` begin.
    fn of(kind: u8, bytes: &'a [u8]) -> Option<Self> {
        Some(match kind {
            0 => Self::Object(Container::of(bytes, 2, true)?),
            1 => Self::Object(Container::of(bytes, 4, true)?),
            2 => Self::Array(Container::of(bytes, 2, false)?),
            3 => Self::Array(Container::of(bytes, 4, false)?),
            4 => match bytes.first()? {
                0 => Self::Null,
                1 => Self::Bool(true),
                2 => Self::Bool(false),
                _ => return None,
            },
            5 => Self::Int(i16::from_le_bytes(array(bytes)?).into()),
            6 => Self::Uint(u16::from_le_bytes(array(bytes)?).into()),
            7 => Self::Int(i32::from_le_bytes(array(bytes)?).into()),
            8 => Self::Uint(u32::from_le_bytes(array(bytes)?).into()),
            9 => Self::Int(i64::from_le_bytes(array(bytes)?)),
            10 => Self::Uint(u64::from_le_bytes(array(bytes)?)),
            11 => Self::Double(f64::from_le_bytes(array(bytes)?)),
            12 => Self::Text(sized(bytes)?),
            15 => {
                let (column, bytes) = bytes.split_first()?;
                Self::Opaque(*column, sized(bytes)?)
            }
            _ => return None,
        })
    }
}

impl<'a> Container<'a> {
    /// No entry of a value takes fewer bytes.
    pub(super) const LEAST: usize = 3;

    fn of(bytes: &'a [u8], wide: usize, is_object: bool) -> Option<Self> {
        let count = number(bytes, 0, wide)?;
        let size = number(bytes, wide, wide)?;
        let of = Self {
            bytes: bytes.get(..size)?,
            wide,
            is_object,
            count,
        };
        (of.values_at().checked_add(count.checked_mul(1 + wide)?)? <= size).then_some(of)
    }

    fn values_at(&self) -> usize {
        let names = if self.is_object { self.wide + 2 } else { 0 };
        self.count
            .saturating_mul(names)
            .saturating_add(2 * self.wide)
    }

    /// The name of a member.
    pub(super) fn name(&self, at: usize) -> Option<&'a [u8]> {
        let entry = 2 * self.wide + at * (self.wide + 2);
        let from = number(self.bytes, entry, self.wide)?;
        let len = number(self.bytes, entry + self.wide, 2)?;
        self.bytes.get(from..from.checked_add(len)?)
    }

    /// A value, which lies in its entry when it is small enough.
    pub(super) fn value(&self, at: usize) -> Option<Value<'a>> {
        let entry = self.values_at() + at * (1 + self.wide);
        let kind = *self.bytes.get(entry)?;
        let is_inline = matches!(kind, 4..=6) || (self.wide == 4 && matches!(kind, 7 | 8));
        let from = match is_inline {
            true => entry + 1,
            false => number(self.bytes, entry + 1, self.wide)?,
        };
        Value::of(kind, self.bytes.get(from..)?)
    }
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

/// A little-endian number of 2 or 4 bytes.
fn number(bytes: &[u8], at: usize, wide: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?;
    match wide {
        2 => Some(u16::from_le_bytes(array(bytes)?).into()),
        _ => usize::try_from(u32::from_le_bytes(array(bytes)?)).ok(),
    }
}

/// Bytes behind a length of seven bits a byte, the lowest first.
fn sized(bytes: &[u8]) -> Option<&[u8]> {
    let mut len = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        len |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let len = usize::try_from(len).ok()?;
            return bytes.get(at + 1..)?.get(..len);
        }
    }
    None
}
