//! Connect's schema and Avro's, compiled into a plan.

use std::sync::Arc;

use connect_core::{Error, Form, Result, Schema, Type, Value, decimal::scale_of};

use super::{
    AvroSettings,
    names::{scrubbed, split},
    owned::write_owned,
    plan::{BLOCK, Instead, NO_BRANCH, NOWHERE, Op, Piece, Plan, Step},
    schema::{At, AvroSchema, Kind},
    target_default,
    write_schema::is_union,
};
use crate::error::SCHEMA_NARROW;

/// Compiles; `strict` refuses a target that cannot take every value.
pub(super) fn compiled(
    schema: &Arc<Schema>,
    avro: &AvroSchema,
    settings: &AvroSettings,
    strict: bool,
) -> Result<Plan> {
    let mut compiler = Compiler {
        plan: Plan::default(),
        avro,
        settings,
        strict,
    };
    let root = compiler.reserve(schema);
    compiler.compile(root, schema, avro.root)?;
    let mut plan = compiler.plan;
    plan.bytes.extend_from_slice(&[0; BLOCK]);
    Ok(plan)
}

struct Compiler<'a> {
    plan: Plan,
    avro: &'a AvroSchema,
    settings: &'a AvroSettings,
    strict: bool,
}

impl Compiler<'_> {
    fn reserve(&mut self, schema: &Arc<Schema>) -> u32 {
        let number = self.plan.steps.len() as u32;
        self.plan.schemas.push(Arc::clone(schema));
        self.plan.steps.push(Step {
            number,
            op: Op::Bool,
            branch: NO_BRANCH,
            from: NOWHERE,
            null: Instead::Refused,
            absent: Instead::Refused,
            constant: Piece::default(),
            run: 0,
            run_bytes: Piece::default(),
        });
        number
    }

    fn compile(&mut self, number: u32, schema: &Arc<Schema>, avro: At) -> Result<()> {
        let (branch, at, null_branch) = if is_union(schema) {
            (NO_BRANCH, avro, self.null_branch(avro))
        } else {
            self.branch(schema, avro)?
        };
        let op = self.op(schema, at)?;
        self.set(number, |step| {
            step.op = op;
            step.branch = branch;
        });
        if self.strict && schema.optional && null_branch.is_none() {
            let default = schema.default.is_some() && !self.settings.of_registry.keep_nulls;
            if !default {
                return Err(narrow("the target takes no null", schema));
            }
        }
        let null = self.instead_of_null(number, schema, null_branch)?;
        let absent = match &schema.absent {
            Some(value) if !matches!(value, Value::Absent) => self.constant(number, value)?,
            _ => null_branch.map_or(null, |byte| self.piece(&[byte])),
        };
        self.set(number, |step| {
            step.null = null;
            step.absent = absent;
        });
        Ok(())
    }

    fn set(&mut self, number: u32, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.plan.steps.get_mut(number as usize) {
            change(step);
        }
    }

    fn null_branch(&self, avro: At) -> Option<u8> {
        let Kind::Union(branches) = &self.avro.node(avro).kind else {
            return None;
        };
        let mut kinds = branches.iter().map(|at| &self.avro.node(*at).kind);
        let at = kinds.position(|kind| matches!(kind, Kind::Null))?;
        branch_byte(at)
    }

    /// The branch of a union that takes a schema's values, its type, and the branch of null.
    fn branch(&self, schema: &Schema, avro: At) -> Result<(u8, At, Option<u8>)> {
        let Kind::Union(branches) = &self.avro.node(avro).kind else {
            return Ok((NO_BRANCH, avro, None));
        };
        let fits = |exact: bool| {
            let mut places = branches.iter().enumerate();
            places.find(|(_, at)| self.fits(schema, **at, exact))
        };
        let found = fits(true).or_else(|| fits(false));
        let (place, at) =
            found.ok_or_else(|| narrow("no branch of the target's union fits", schema))?;
        let byte = branch_byte(place)
            .ok_or_else(|| narrow("the target's union has too many branches", schema))?;
        Ok((byte, *at, self.null_branch(avro)))
    }

    /// Whether a type takes a schema's values; an `exact` one has also its name.
    fn fits(&self, schema: &Schema, at: At, exact: bool) -> bool {
        let node = self.avro.node(at);
        let named = || match (&node.name, schema.name.as_deref()) {
            (Some(name), Some(own)) if exact => {
                name == own || split(name).1 == split(own).1 || *name == scrub_all(own)
            }
            _ => !exact || node.name.is_none() || schema.name.is_none(),
        };
        match (&node.kind, &schema.ty) {
            (Kind::Record(_), Type::Struct(_)) | (Kind::Fixed(_), Type::Bytes) => named(),
            (Kind::Enum(_), Type::String) => true,
            (Kind::Bool, Type::Bool)
            | (Kind::Int, Type::Int8 | Type::Int16 | Type::Int32)
            | (Kind::Long, Type::Int64)
            | (Kind::Float, Type::Float32)
            | (Kind::Double, Type::Float64)
            | (Kind::Bytes, Type::Bytes)
            | (Kind::Text, Type::String)
            | (Kind::Array(_), Type::Array(_))
            | (Kind::Map(_), Type::Map(..)) => true,
            (Kind::Array(item), Type::Map(..)) => {
                matches!(self.avro.node(*item).kind, Kind::Record(_))
            }
            (Kind::Long, Type::Int8 | Type::Int16 | Type::Int32)
            | (Kind::Double, Type::Float32) => !exact,
            _ => false,
        }
    }

    fn op(&mut self, schema: &Arc<Schema>, at: At) -> Result<Op> {
        let node = self.avro.node(at);
        Ok(match (&schema.ty, &node.kind) {
            (Type::Struct(_), Kind::Union(_)) if is_union(schema) => self.union(schema, at)?,
            (Type::Struct(_), Kind::Record(_)) => self.record(schema, at)?,
            (Type::Bool, Kind::Bool) => Op::Bool,
            (Type::Int8 | Type::Int16 | Type::Int32, Kind::Int) => Op::Int,
            (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Kind::Long) => Op::Long,
            (Type::Float32, Kind::Float) => Op::Float,
            (Type::Float32 | Type::Float64, Kind::Double) => Op::Double,
            (Type::String, Kind::Text) => Op::Text,
            (Type::String, Kind::Enum(symbols)) => {
                self.plan.symbols.push(symbols.clone());
                Op::Enum {
                    symbols: self.plan.symbols.len() as u32 - 1,
                }
            }
            (Type::Bytes, Kind::Bytes) => bytes_op(schema),
            (Type::Bytes, Kind::Fixed(size)) => {
                let size = *size as u32;
                match scale_of(schema) {
                    Some(scale) => Op::FixedDecimal {
                        size,
                        scale: scale as u32,
                    },
                    None => Op::Fixed { size },
                }
            }
            (Type::Array(item), Kind::Array(target)) => {
                let step = self.reserve(item);
                self.compile(step, item, *target)?;
                Op::Array { item: step }
            }
            (Type::Map(_, value), Kind::Map(target)) => {
                let step = self.reserve(value);
                self.compile(step, value, *target)?;
                Op::Map { item: step }
            }
            (Type::Map(key, value), Kind::Array(entry)) => {
                self.pairs(schema, key, value, *entry)?
            }
            _ => return Err(narrow("the target is of another type", schema)),
        })
    }

    fn pairs(
        &mut self,
        schema: &Schema,
        key: &Arc<Schema>,
        value: &Arc<Schema>,
        entry: At,
    ) -> Result<Op> {
        let avro = self.avro;
        let Kind::Record(fields) = &avro.node(entry).kind else {
            return Err(narrow("the target is no list of entries", schema));
        };
        let [first, second] = fields.as_slice() else {
            return Err(narrow("the target's entries are no pairs", schema));
        };
        let (a, b) = (self.reserve(key), self.reserve(value));
        self.compile(a, key, first.at)?;
        self.compile(b, value, second.at)?;
        Ok(Op::Pairs { key: a })
    }

    fn union(&mut self, schema: &Schema, at: At) -> Result<Op> {
        let fields = schema.fields();
        let first = self.plan.steps.len() as u32;
        for (field, from) in fields.iter().zip(0..) {
            let step = self.reserve(&field.schema);
            self.set(step, |step| step.from = from);
        }
        for (step, field) in (first..).zip(fields) {
            self.compile(step, &field.schema, at)?;
        }
        Ok(Op::Union {
            at: first,
            len: fields.len() as u32,
        })
    }

    fn record(&mut self, schema: &Arc<Schema>, at: At) -> Result<Op> {
        let avro = self.avro;
        let Kind::Record(targets) = &avro.node(at).kind else {
            return Err(narrow("the target is no record", schema));
        };
        let fields = schema.fields();
        let first = self.plan.steps.len() as u32;
        let mut sources = Vec::with_capacity(targets.len());
        for target in targets {
            let found = fields.iter().zip(0_u32..).find(|(field, _)| {
                *field.name == target.name
                    || (self.settings.scrub && scrubbed(&field.name) == target.name)
            });
            let step = self.reserve(found.map_or(schema, |(field, _)| &field.schema));
            self.set(step, |step| {
                step.from = found.map_or(NOWHERE, |(_, from)| from)
            });
            sources.push(found.map(|(field, _)| field));
        }
        for ((step, target), source) in (first..).zip(targets).zip(&sources) {
            match source {
                Some(field) => self
                    .compile(step, &field.schema, target.at)
                    .map_err(|error| error.context("field", &target.name))?,
                None => self.missing(step, target)?,
            }
        }
        for (step, source) in (first..).zip(&sources) {
            if let Some(value) = source.and_then(|field| field.constant.as_ref())
                && let Instead::Bytes(piece) = self.constant(step, value)?
            {
                self.set(step, |step| step.constant = piece);
            }
        }
        let straight = targets.len() == fields.len()
            && (0..)
                .zip(self.plan.steps(first, targets.len() as u32))
                .all(|(at, step)| step.from == at);
        if straight {
            self.join_constants(first as usize, targets.len());
        }
        Ok(Op::Record {
            at: first,
            len: targets.len() as u32,
            straight,
        })
    }

    /// A field of the target that the source does not have: its default is written.
    fn missing(&mut self, step: u32, target: &super::schema::Field) -> Result<()> {
        let default = target.default.as_ref().ok_or_else(|| {
            Error::new(
                &SCHEMA_NARROW,
                "a field of the target has no default, and the source does not have it",
            )
            .context("field", &target.name)
        })?;
        let start = self.plan.bytes.len();
        target_default::write(self.avro, target.at, default, &mut self.plan.bytes)?;
        let piece = self.piece_since(start);
        self.set(step, |step| step.constant = piece);
        Ok(())
    }

    /// Bytes of fields in a row lie in a row, so a run of constants is one piece.
    fn join_constants(&mut self, at: usize, len: usize) {
        let mut after: Option<Step> = None;
        for step in self.plan.steps.iter_mut().skip(at).take(len).rev() {
            if step.constant.len == 0 {
                after = None;
                continue;
            }
            let follows =
                after.filter(|next| next.run_bytes.at == step.constant.at + step.constant.len);
            let (run, bytes) = follows.map_or((0, 0), |next| (next.run, next.run_bytes.len));
            step.run = 1 + run;
            step.run_bytes = Piece {
                at: step.constant.at,
                len: step.constant.len + bytes,
            };
            after = Some(*step);
        }
    }

    fn instead_of_null(
        &mut self,
        number: u32,
        schema: &Schema,
        null_branch: Option<u8>,
    ) -> Result<Instead> {
        match &schema.default {
            Some(default) if !self.settings.of_registry.keep_nulls && !default.is_null() => {
                self.constant(number, default)
            }
            _ if schema.optional => {
                Ok(null_branch.map_or(Instead::Refused, |byte| self.piece(&[byte])))
            }
            _ => Ok(Instead::Refused),
        }
    }

    /// An owned value as this step writes it.
    fn constant(&mut self, number: u32, value: &Value) -> Result<Instead> {
        let mut bytes = Vec::new();
        let step = *self.plan.step(number)?;
        write_owned(&self.plan, &step, value, &mut bytes)?;
        Ok(self.piece(&bytes))
    }

    fn piece(&mut self, bytes: &[u8]) -> Instead {
        let start = self.plan.bytes.len();
        self.plan.bytes.extend_from_slice(bytes);
        Instead::Bytes(self.piece_since(start))
    }

    fn piece_since(&self, start: usize) -> Piece {
        Piece {
            at: start as u32,
            len: (self.plan.bytes.len() - start) as u32,
        }
    }
}

fn bytes_op(schema: &Schema) -> Op {
    match schema.form {
        Form::DecimalText => Op::Decimal {
            scale: scale_of(schema).and_then(|scale| u32::try_from(scale).ok()),
        },
        Form::Hex => Op::Hex,
        Form::Plain => Op::Bytes,
    }
}

/// A branch's place as it is written: one byte for the first 64.
fn branch_byte(place: usize) -> Option<u8> {
    u8::try_from(place * 2).ok().filter(|byte| *byte < 0x80)
}

fn scrub_all(name: &str) -> String {
    let parts: Vec<_> = name.split('.').map(scrubbed).collect();
    parts.join(".")
}

fn narrow(what: &'static str, schema: &Schema) -> Error {
    let error = Error::new(&SCHEMA_NARROW, what);
    match &schema.name {
        Some(name) => error.context("schema", name),
        None => error,
    }
}
