//! Whether a request is what it says it is, before it is decoded.
//!
//! A decoder that trusts the count of an array takes memory for as many items as four bytes can claim, and a process that asks for
//! more memory than there is ends. So a request is walked first: every count must be followed by as many items, and there
//! is a limit to all of them together. After that, decoding takes memory in proportion to the request.

/// A field of a request, in the versions that have it.
pub(crate) struct Part {
    since: i16,
    until: i16,
    kind: Kind,
}

/// What a field is made of.
pub(crate) enum Kind {
    /// So many bytes.
    Fixed(usize),
    /// A string, or null.
    Text,
    /// Bytes, or null.
    Bytes,
    /// An array of structures, or null.
    List(&'static [Part]),
    /// An array of strings, or null.
    Texts,
    /// An array of four-byte numbers, or null.
    Ints,
    /// A structure.
    Struct(&'static [Part]),
    /// At the end of a structure: the tagged fields that the decoder knows there, by number. It reads those without regard to their
    /// length, so each has to be what it is said to be.
    Tags(&'static [Kind]),
}

/// The fields of a request, and the version from which on lengths are compact and structures end with tagged fields.
pub(crate) struct Shape {
    pub(crate) flexible: i16,
    /// Whether the decoder knows tagged fields of it. Such are refused: it reads them without regard to their length, and no consumer
    /// sends them.
    pub(crate) known_tags: bool,
    pub(crate) parts: &'static [Part],
}

/// A field of all versions.
pub(crate) const fn all(kind: Kind) -> Part {
    between(0, i16::MAX, kind)
}

/// A field from a version on.
pub(crate) const fn since(version: i16, kind: Kind) -> Part {
    between(version, i16::MAX, kind)
}

/// A field up to a version.
pub(crate) const fn until(version: i16, kind: Kind) -> Part {
    between(0, version, kind)
}

/// A field of some versions.
pub(crate) const fn between(since: i16, until: i16, kind: Kind) -> Part {
    Part { since, until, kind }
}

/// Tagged fields that one structure can have.
const MAX_TAGS: usize = 16;

impl Shape {
    /// How many items the arrays of a request have together; `None` when it is not of this shape or has more than `max_items`.
    // Invariant 5: bytes from outside never panic.
    pub(crate) fn items(&self, version: i16, body: &[u8], max_items: usize) -> Option<usize> {
        let mut walk = Walk {
            version,
            flexible: version >= self.flexible,
            known_tags: self.known_tags,
            rest: body,
            left: max_items,
        };
        walk.structure(self.parts)?;
        Some(max_items - walk.left)
    }
}

struct Walk<'a> {
    version: i16,
    flexible: bool,
    known_tags: bool,
    rest: &'a [u8],
    left: usize,
}

impl<'a> Walk<'a> {
    fn structure(&mut self, parts: &[Part]) -> Option<()> {
        for part in parts {
            if (part.since..=part.until).contains(&self.version) {
                self.field(&part.kind)?;
            }
        }
        match parts.last() {
            Some(Part {
                kind: Kind::Tags(_),
                ..
            }) => Some(()),
            _ => self.tags(&[]),
        }
    }

    fn field(&mut self, kind: &Kind) -> Option<()> {
        match kind {
            Kind::Fixed(bytes) => self.skip(*bytes),
            Kind::Text => self.text(),
            Kind::Bytes => {
                let len = self.count()?;
                self.skip(len)
            }
            Kind::List(parts) => {
                for _ in 0..self.items()? {
                    self.structure(parts)?;
                }
                Some(())
            }
            Kind::Texts => {
                for _ in 0..self.items()? {
                    self.text()?;
                }
                Some(())
            }
            Kind::Ints => {
                let count = self.items()?;
                self.skip(count.checked_mul(4)?)
            }
            Kind::Struct(parts) => self.structure(parts),
            Kind::Tags(known) => self.tags(known),
        }
    }

    /// Items that follow; each has at least a byte.
    fn items(&mut self) -> Option<usize> {
        let count = self.count()?;
        if count > self.rest.len() {
            return None;
        }
        self.left = self.left.checked_sub(count)?;
        Some(count)
    }

    /// A length of four bytes or a compact one; null counts as nothing.
    fn count(&mut self) -> Option<usize> {
        if self.flexible {
            return Some(self.varint()?.saturating_sub(1) as usize);
        }
        match i32::from_be_bytes(self.take(4)?.try_into().ok()?) {
            -1 => Some(0),
            len => usize::try_from(len).ok(),
        }
    }

    fn text(&mut self) -> Option<()> {
        let len = if self.flexible {
            self.varint()?.saturating_sub(1) as usize
        } else {
            match i16::from_be_bytes(self.take(2)?.try_into().ok()?) {
                -1 => 0,
                len => usize::try_from(len).ok()?,
            }
        };
        self.skip(len)
    }

    fn tags(&mut self, known: &[Kind]) -> Option<()> {
        if !self.flexible {
            return Some(());
        }
        let count = self.varint()? as usize;
        if count > MAX_TAGS || (self.known_tags && count > 0) {
            return None;
        }
        for _ in 0..count {
            let number = self.varint()? as usize;
            let len = self.varint()? as usize;
            let field = self.take(len)?;
            if let Some(kind) = known.get(number) {
                self.is_all_of(kind, field)?;
            }
        }
        Some(())
    }

    /// Whether a tagged field is of its kind, and nothing else.
    fn is_all_of(&mut self, kind: &Kind, field: &'a [u8]) -> Option<()> {
        let rest = std::mem::replace(&mut self.rest, field);
        self.field(kind)?;
        std::mem::replace(&mut self.rest, rest)
            .is_empty()
            .then_some(())
    }

    fn varint(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = *self.take(1)?.first()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.take(bytes).map(|_| ())
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }
}
