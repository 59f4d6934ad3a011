//! A schema compiled into flat steps, with all the text that its rows share.

use std::sync::Arc;

use connect_core::{Form, Result, Schema, Type, decimal::scale_of};

use super::{
    JsonSettings,
    schema_write::is_numeric_decimal,
    text::write_text,
    value_write::{write_null, write_value},
};

/// See [`Plan::write`]; the text has as many bytes more than it needs.
const BLOCK: usize = 32;

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Bool,
    Whole,
    Float {
        single: bool,
    },
    Text,
    Base64,
    Hex,
    /// Decimal text to unscaled bytes in base64; without a scale, the text's own counts.
    DecimalBase64 {
        scale: Option<u32>,
    },
    /// Decimal text to a JSON number.
    DecimalNumber {
        scale: u32,
    },
    /// Unscaled bytes to a JSON number.
    BytesNumber {
        scale: u32,
    },
    /// The step of the items.
    Array {
        item: u32,
    },
    /// The step of the values; keys are text.
    TextMap {
        item: u32,
    },
    /// The step of the keys; that of the values is the next.
    PairMap {
        key: u32,
    },
    /// The steps of the fields.
    Struct {
        at: u32,
        len: u32,
    },
}

/// What is written for a null or an absent value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instead {
    /// A text of the plan.
    Text(Piece),
    /// Nothing: the field is left out.
    Nothing,
    /// It is an error.
    Refused,
}

/// A run of bytes in the plan's text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Piece {
    at: u32,
    len: u32,
}

/// One field, item, key or value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Its place in the plan.
    number: u32,
    pub(super) op: Op,
    /// For a field: comma, name and colon.
    pub(super) lead: Piece,
    pub(super) null: Instead,
    pub(super) absent: Instead,
    /// For a field with a constant: lead and value of it.
    pub(super) constant: Piece,
    /// How many fields with constants stand in a row from here on; zero for a field without one.
    pub(super) run: u32,
    /// Leads and values of all of these.
    pub(super) run_text: Piece,
}

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Plan {
    text: Vec<u8>,
    steps: Vec<Step>,
    schemas: Vec<Arc<Schema>>,
}

impl Plan {
    /// Compiles a schema; its root is step 0.
    pub(super) fn new(schema: &Arc<Schema>, settings: &JsonSettings) -> Result<Self> {
        let mut plan = Self {
            text: Vec::new(),
            steps: Vec::new(),
            schemas: Vec::new(),
        };
        plan.reserve(schema);
        plan.compile(0, schema, settings)?;
        plan.text.extend_from_slice(&[0; BLOCK]);
        Ok(plan)
    }

    /// A step by its number.
    pub(super) fn step(&self, at: u32) -> Result<&Step> {
        self.steps.get(at as usize).ok_or_else(lost)
    }

    /// Steps in a row.
    pub(super) fn steps(&self, at: u32, len: u32) -> &[Step] {
        let at = at as usize;
        self.steps.get(at..at + len as usize).unwrap_or(&[])
    }

    /// The schema of a step in this plan.
    pub(super) fn schema_of(&self, step: &Step) -> Result<&Schema> {
        let schema = self.schemas.get(step.number as usize);
        schema.map(|s| &**s).ok_or_else(lost)
    }

    /// A text by its place.
    pub(super) fn text(&self, piece: Piece) -> &[u8] {
        let at = piece.at as usize;
        self.text.get(at..at + piece.len as usize).unwrap_or(&[])
    }

    /// Appends a text. Most are shorter than a call that copies them takes: so a block is copied, and cut.
    #[inline]
    pub(super) fn write(&self, piece: Piece, out: &mut Vec<u8>) {
        let (at, len) = (piece.at as usize, piece.len as usize);
        let block = self.text.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>);
        match block {
            Some(block) if len <= BLOCK => {
                let end = out.len() + len;
                out.extend_from_slice(block);
                out.truncate(end);
            }
            _ => out.extend_from_slice(self.text(piece)),
        }
    }

    fn reserve(&mut self, schema: &Arc<Schema>) -> u32 {
        self.schemas.push(Arc::clone(schema));
        let number = self.steps.len() as u32;
        self.steps.push(Step {
            number,
            op: Op::Bool,
            lead: Piece::default(),
            null: Instead::Refused,
            absent: Instead::Refused,
            constant: Piece::default(),
            run: 0,
            run_text: Piece::default(),
        });
        number
    }

    fn compile(&mut self, at: u32, schema: &Arc<Schema>, settings: &JsonSettings) -> Result<()> {
        let op = self.op(schema, settings)?;
        let null = self.instead_of_null(schema, settings);
        let absent = self.instead_of_absent(schema, settings)?;
        if let Some(step) = self.steps.get_mut(at as usize) {
            *step = Step {
                op,
                null,
                absent,
                ..*step
            };
        }
        Ok(())
    }

    fn op(&mut self, schema: &Arc<Schema>, settings: &JsonSettings) -> Result<Op> {
        Ok(match &schema.ty {
            Type::Bool => Op::Bool,
            Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => Op::Whole,
            Type::Float32 => Op::Float { single: true },
            Type::Float64 => Op::Float { single: false },
            Type::String => Op::Text,
            Type::Bytes => bytes_op(schema, settings),
            Type::Array(item) => {
                let step = self.reserve(item);
                self.compile(step, item, settings)?;
                Op::Array { item: step }
            }
            Type::Map(key, value) if key.ty == Type::String => {
                let step = self.reserve(value);
                self.compile(step, value, settings)?;
                Op::TextMap { item: step }
            }
            Type::Map(key, value) => {
                let (first, second) = (self.reserve(key), self.reserve(value));
                self.compile(first, key, settings)?;
                self.compile(second, value, settings)?;
                Op::PairMap { key: first }
            }
            Type::Struct(_) => self.compile_struct(schema, settings)?,
        })
    }

    fn compile_struct(&mut self, schema: &Schema, settings: &JsonSettings) -> Result<Op> {
        let fields = schema.fields();
        let at = self.steps.len() as u32;
        for field in fields {
            self.reserve(&field.schema);
        }
        for (step, field) in (at..).zip(fields) {
            self.compile(step, &field.schema, settings)?;
        }
        for (step, field) in (at..).zip(fields) {
            let start = self.text.len();
            self.text.push(b',');
            write_text(field.name.as_bytes(), &mut self.text);
            self.text.push(b':');
            let lead = self.piece_since(start);
            let mut constant = Piece::default();
            if let Some(value) = &field.constant {
                write_value(&field.schema, value, settings, &mut self.text)?;
                constant = self.piece_since(start);
            }
            if let Some(step) = self.steps.get_mut(step as usize) {
                step.lead = lead;
                step.constant = constant;
            }
        }
        self.join_constants(at as usize, fields.len());
        Ok(Op::Struct {
            at,
            len: fields.len() as u32,
        })
    }

    /// Texts of fields in a row lie in a row, so a run of constants is one piece.
    fn join_constants(&mut self, at: usize, len: usize) {
        let mut after: Option<Step> = None;
        for step in self.steps.iter_mut().skip(at).take(len).rev() {
            if step.constant.len == 0 {
                after = None;
                continue;
            }
            let follows = after.map_or((0, 0), |next| (next.run, next.run_text.len));
            step.run = 1 + follows.0;
            step.run_text = Piece {
                at: step.constant.at,
                len: step.constant.len + follows.1,
            };
            after = Some(*step);
        }
    }

    fn instead_of_null(&mut self, schema: &Schema, settings: &JsonSettings) -> Instead {
        let start = self.text.len();
        match write_null(schema, settings, &mut self.text) {
            Ok(()) => Instead::Text(self.piece_since(start)),
            Err(_) => {
                self.text.truncate(start);
                Instead::Refused
            }
        }
    }

    fn instead_of_absent(&mut self, schema: &Schema, settings: &JsonSettings) -> Result<Instead> {
        let start = self.text.len();
        match &schema.absent {
            Some(value) => write_value(schema, value, settings, &mut self.text)?,
            None if settings.schemas => self.text.extend_from_slice(b"null"),
            None => return Ok(Instead::Nothing),
        }
        Ok(Instead::Text(self.piece_since(start)))
    }

    fn piece_since(&self, start: usize) -> Piece {
        Piece {
            at: start as u32,
            len: (self.text.len() - start) as u32,
        }
    }
}

fn bytes_op(schema: &Schema, settings: &JsonSettings) -> Op {
    let scale = scale_of(schema).and_then(|s| u32::try_from(s).ok());
    let numeric = is_numeric_decimal(schema, settings);
    match schema.form {
        Form::DecimalText if numeric => Op::DecimalNumber {
            scale: scale.unwrap_or(0),
        },
        Form::DecimalText => Op::DecimalBase64 { scale },
        _ if numeric => Op::BytesNumber {
            scale: scale.unwrap_or(0),
        },
        Form::Hex => Op::Hex,
        Form::Plain => Op::Base64,
    }
}

fn lost() -> connect_core::Error {
    connect_core::Error::new(
        &connect_core::error::INTERNAL,
        "an encoder's plan lost a step",
    )
}
