//! Flat steps that write Connect's values as Avro's.

use std::sync::Arc;

use connect_core::{Error, Result, Schema};

/// See [`Plan::write`]; the bytes are as many more than they need be.
pub(super) const BLOCK: usize = 16;
/// No branch stands before a value.
pub(super) const NO_BRANCH: u8 = u8::MAX;
/// No field of the source is written here.
pub(super) const NOWHERE: u32 = u32::MAX;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Bool,
    /// Of 32 bits.
    Int,
    Long,
    Float,
    Double,
    Text,
    Bytes,
    Hex,
    /// Decimal text to unscaled bytes; without a scale, the text's own counts.
    Decimal {
        scale: Option<u32>,
    },
    /// Bytes of this size.
    Fixed {
        size: u32,
    },
    /// Decimal text to unscaled bytes of this size.
    FixedDecimal {
        size: u32,
        scale: u32,
    },
    /// The place of its list of symbols.
    Enum {
        symbols: u32,
    },
    /// The step of the items.
    Array {
        item: u32,
    },
    /// The step of the values; keys are text.
    Map {
        item: u32,
    },
    /// The step of the keys; that of the values is the next.
    Pairs {
        key: u32,
    },
    /// The steps of the fields; `straight` when these are the source's fields in their order.
    Record {
        at: u32,
        len: u32,
        straight: bool,
    },
    /// The steps of a struct's fields, one of which is not null.
    Union {
        at: u32,
        len: u32,
    },
}

/// What is written for a null or an absent value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instead {
    Bytes(Piece),
    Refused,
}

/// A run of bytes in the plan.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Piece {
    pub(super) at: u32,
    pub(super) len: u32,
}

/// One field, item, key or value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) number: u32,
    pub(super) op: Op,
    /// What stands before a value: the branch of a union.
    pub(super) branch: u8,
    /// The source's field.
    pub(super) from: u32,
    pub(super) null: Instead,
    pub(super) absent: Instead,
    /// The branch and the value of a constant.
    pub(super) constant: Piece,
    /// How many fields with constants stand in a row from here on; zero for a field without one.
    pub(super) run: u32,
    pub(super) run_bytes: Piece,
}

/// A compiled pair of schemas; its root is step 0.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) bytes: Vec<u8>,
    pub(super) steps: Vec<Step>,
    pub(super) schemas: Vec<Arc<Schema>>,
    pub(super) symbols: Vec<Vec<String>>,
}

impl Plan {
    pub(super) fn step(&self, at: u32) -> Result<&Step> {
        self.steps.get(at as usize).ok_or_else(lost)
    }

    pub(super) fn steps(&self, at: u32, len: u32) -> &[Step] {
        let at = at as usize;
        self.steps.get(at..at + len as usize).unwrap_or(&[])
    }

    pub(super) fn schema_of(&self, step: &Step) -> Result<&Arc<Schema>> {
        self.schemas.get(step.number as usize).ok_or_else(lost)
    }

    pub(super) fn symbols(&self, at: u32) -> &[String] {
        self.symbols.get(at as usize).map_or(&[], Vec::as_slice)
    }

    /// Appends bytes. Most pieces are shorter than a call that copies them takes: so a block is copied, and cut.
    #[inline]
    pub(super) fn write(&self, piece: Piece, out: &mut Vec<u8>) {
        let (at, len) = (piece.at as usize, piece.len as usize);
        let block = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>);
        match block {
            Some(block) if len <= BLOCK => {
                let end = out.len() + len;
                out.extend_from_slice(block);
                out.truncate(end);
            }
            _ => out.extend_from_slice(self.bytes.get(at..at + len).unwrap_or(&[])),
        }
    }
}

fn lost() -> Error {
    Error::new(
        &connect_core::error::INTERNAL,
        "an encoder's plan lost a step",
    )
}
