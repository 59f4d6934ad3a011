//! Owned values along a plan: constants, defaults, and rows that transforms made.

use connect_core::{Error, Result, Value};

use super::{
    default::bytes_of,
    encode::{mismatch, null_not_allowed, number, write_int, write_padded},
    plan::{Instead, NO_BRANCH, NOWHERE, Op, Plan, Step},
    varint::{whole, write_length, write_long},
};
use crate::error::MISMATCH;

/// Appends a value as a step of the plan says.
pub(super) fn write_owned(
    plan: &Plan,
    step: &Step,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<()> {
    match value {
        Value::Null => return write_instead(plan, step.null, out),
        Value::Absent => return write_instead(plan, step.absent, out),
        _ => {}
    }
    if step.branch != NO_BRANCH {
        out.push(step.branch);
    }
    match (step.op, value) {
        (Op::Bool, Value::Bool(b)) => out.push(u8::from(*b)),
        (Op::Int, _) => return write_int(integer(value)?, out),
        (Op::Long, _) => write_long(integer(value)?, out),
        (Op::Float, _) => out.extend_from_slice(&(float(value)? as f32).to_le_bytes()),
        (Op::Double, _) => out.extend_from_slice(&float(value)?.to_le_bytes()),
        (Op::Text, Value::Str(text)) => write_bytes(text.as_bytes(), out),
        (Op::Enum { symbols }, Value::Str(text)) => {
            return write_symbol(plan.symbols(symbols), text.as_bytes(), out);
        }
        (Op::Bytes | Op::Hex | Op::Decimal { .. }, _) => {
            write_bytes(&bytes_of(plan.schema_of(step)?, value)?, out);
        }
        (Op::Fixed { size }, _) => {
            return write_fixed(&bytes_of(plan.schema_of(step)?, value)?, size, out);
        }
        (Op::FixedDecimal { size, .. }, _) => {
            return write_padded(&bytes_of(plan.schema_of(step)?, value)?, size, out);
        }
        (Op::Array { item }, Value::Array(items)) => {
            let item = plan.step(item)?;
            if !items.is_empty() {
                write_length(items.len(), out);
            }
            for value in items {
                write_owned(plan, item, value, out)?;
            }
            out.push(0);
        }
        (Op::Map { .. } | Op::Pairs { .. }, Value::Map(entries)) => {
            return write_entries(plan, step.op, entries, out);
        }
        (Op::Record { at, len, .. }, Value::Map(_)) => {
            let schema = plan.schema_of(step)?;
            return write_fields(plan, plan.steps(at, len), schema, value, out);
        }
        (Op::Union { at, len }, Value::Map(_)) => {
            return write_union(plan, step, (at, len), value, out);
        }
        _ => return Err(mismatch()),
    }
    Ok(())
}

fn write_instead(plan: &Plan, what: Instead, out: &mut Vec<u8>) -> Result<()> {
    match what {
        Instead::Bytes(piece) => plan.write(piece, out),
        Instead::Refused => return Err(null_not_allowed()),
    }
    Ok(())
}

fn write_fields(
    plan: &Plan,
    steps: &[Step],
    schema: &connect_core::Schema,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<()> {
    let fields = schema.fields();
    for step in steps {
        if step.from == NOWHERE {
            plan.write(step.constant, out);
            continue;
        }
        let field = fields.get(step.from as usize);
        let value = field.and_then(|field| value.get(&field.name));
        write_owned(plan, step, value.unwrap_or(&Value::Null), out)?;
    }
    Ok(())
}

fn write_union(
    plan: &Plan,
    whole: &Step,
    (at, len): (u32, u32),
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<()> {
    let schema = plan.schema_of(whole)?;
    for (step, field) in plan.steps(at, len).iter().zip(schema.fields()) {
        if let Some(set) = value.get(&field.name).filter(|value| !value.is_null()) {
            return write_owned(plan, step, set, out);
        }
    }
    write_instead(plan, whole.null, out)
}

fn write_entries(
    plan: &Plan,
    op: Op,
    entries: &[(String, Value)],
    out: &mut Vec<u8>,
) -> Result<()> {
    if !entries.is_empty() {
        write_length(entries.len(), out);
    }
    for (name, value) in entries {
        match op {
            Op::Map { item } => {
                write_bytes(name.as_bytes(), out);
                write_owned(plan, plan.step(item)?, value, out)?;
            }
            Op::Pairs { key } => {
                let step = plan.step(key)?;
                // An owned map has text for all its keys.
                let key_value = match step.op {
                    Op::Text | Op::Enum { .. } => Value::Str(name.clone()),
                    Op::Bool => Value::Bool(name == "true"),
                    _ => Value::Digits(name.clone()),
                };
                write_owned(plan, step, &key_value, out)?;
                write_owned(plan, plan.step(key + 1)?, value, out)?;
            }
            _ => return Err(mismatch()),
        }
    }
    out.push(0);
    Ok(())
}

pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

pub(super) fn write_fixed(bytes: &[u8], size: u32, out: &mut Vec<u8>) -> Result<()> {
    if bytes.len() != size as usize {
        return Err(Error::new(&MISMATCH, "bytes are not of their fixed size"));
    }
    out.extend_from_slice(bytes);
    Ok(())
}

pub(super) fn write_symbol(symbols: &[String], text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let place = symbols.iter().position(|symbol| symbol.as_bytes() == text);
    let place =
        place.ok_or_else(|| Error::new(&MISMATCH, "a value is none of its enum's symbols"))?;
    write_long(place as i64, out);
    Ok(())
}

fn integer(value: &Value) -> Result<i64> {
    match value {
        Value::Int(i) => Ok(*i),
        Value::Digits(digits) => whole(digits.as_bytes()),
        _ => Err(mismatch()),
    }
}

fn float(value: &Value) -> Result<f64> {
    match value {
        Value::Float(f) => Ok(*f),
        Value::Int(i) => Ok(*i as f64),
        Value::Digits(digits) => number(digits.as_bytes()),
        _ => Err(mismatch()),
    }
}
