//! One value of one row, in 16 bytes.

/// A value, or where its bytes are.
///
/// What the bytes of a [`Span`] mean is told by the schema's type and its [`Form`](crate::Form):
/// a span under an integer or float type holds its decimal digits as ASCII.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// The source did not send it (unchanged TOAST, partial row image). Not the same as null.
    Absent,
    /// Null.
    Null,
    /// The constant that the field declares.
    Const,
    /// A boolean.
    Bool(bool),
    /// An integer of any width, also behind dates and times.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// Bytes in a frame or in the batch's arena.
    Span(Span),
    /// Child cells: fields of a struct, items of an array, keys and values of a map by turns.
    Nest(Nest),
    /// An owned value of the batch: the schemaless case.
    Free(u32),
}

/// A run of bytes in one of a batch's frames, or in its arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of the frame, or [`Span::ARENA`].
    pub frame: u32,
    /// First byte.
    pub at: u32,
    /// How many bytes.
    pub len: u32,
}

impl Span {
    /// The `frame` of bytes that the batch made itself.
    pub const ARENA: u32 = u32::MAX;
}

/// A run of cells of the same batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nest {
    /// First cell.
    pub at: u32,
    /// How many cells.
    pub len: u32,
}

const _: () = assert!(size_of::<Cell>() == 16);
