//! The bytes of a value as they came, which stay where they lie as long as nothing has to change.

use connect_core::{Batch, Cell, Span};

/// A value's text, and where it lies.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    bytes: &'a [u8],
    frame: Option<Frame<'a>>,
}

/// A frame that will be part of the batch under an index.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// All bytes from its start on.
    pub bytes: &'a [u8],
    /// Its index in the batch.
    pub index: u32,
}

/// The bytes of a span, also in a frame that is not part of the batch yet.
pub fn spanned<'b>(span: Span, frame: Option<Frame<'b>>, out: &'b Batch) -> &'b [u8] {
    let at = span.at as usize;
    match frame.filter(|frame| frame.index == span.frame) {
        Some(frame) => frame
            .bytes
            .get(at..at + span.len as usize)
            .unwrap_or_default(),
        None => out.span(span),
    }
}

impl<'a> Text<'a> {
    /// Text that lies in a frame.
    #[inline]
    pub fn framed(bytes: &'a [u8], frame: Frame<'a>) -> Self {
        Self {
            bytes,
            frame: Some(frame),
        }
    }

    /// Text that lies in a frame, if there is one.
    #[inline]
    pub fn within(bytes: &'a [u8], frame: Option<Frame<'a>>) -> Self {
        Self { bytes, frame }
    }

    /// Text that lies somewhere else, and is copied where it must last.
    pub fn loose(bytes: &'a [u8]) -> Self {
        Self { bytes, frame: None }
    }

    /// The bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Some of its own bytes.
    #[inline]
    pub fn part(self, bytes: &'a [u8]) -> Self {
        Self { bytes, ..self }
    }

    /// A cell of these bytes.
    #[inline]
    pub fn keep(self, out: &mut Batch) -> Cell {
        match self.frame {
            Some(frame) => {
                let at = self
                    .bytes
                    .as_ptr()
                    .addr()
                    .wrapping_sub(frame.bytes.as_ptr().addr());
                debug_assert!(
                    at + self.bytes.len() <= frame.bytes.len(),
                    "not of this frame"
                );
                Cell::Span(Span {
                    frame: frame.index,
                    at: at as u32,
                    len: self.bytes.len() as u32,
                })
            }
            None => out.push_bytes(self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framed_bytes_stay_and_loose_ones_are_copied() {
        let bytes = b"head:value";
        let frame = Frame { bytes, index: 3 };
        let mut out = Batch::default();
        let framed = Text::framed(&bytes[5..], frame);
        assert_eq!(
            framed.part(&bytes[6..8]).keep(&mut out),
            Cell::Span(Span {
                frame: 3,
                at: 6,
                len: 2
            })
        );
        assert!(out.arena().is_empty());
        Text::loose(&bytes[5..]).keep(&mut out);
        assert_eq!(out.arena(), b"value");
    }
}
