//! The cells of a struct, taken out to be changed.

use connect_core::{Batch, Cell, Datum, Error, Field, Result, Schema, Type, Value};

/// Copies the cells of a struct's fields into `into`.
pub(super) fn take_cells(
    batch: &mut Batch,
    schema: &Schema,
    cell: Cell,
    purpose: &'static str,
    into: &mut Vec<Cell>,
) -> Result<()> {
    into.clear();
    let nest = match cell {
        Cell::Nest(nest) if matches!(schema.ty, Type::Struct(_)) => nest,
        Cell::Free(index) if matches!(schema.ty, Type::Struct(_)) => {
            let value = batch.free(index).clone();
            match batch.push_value(&value, Some(schema)) {
                Cell::Nest(nest) => nest,
                _ => return Err(only_structs(purpose)),
            }
        }
        _ => return Err(only_structs(purpose)),
    };
    into.extend_from_slice(batch.cells(nest));
    match into.len() == schema.fields().len() {
        true => Ok(()),
        false => Err(only_structs(purpose)),
    }
}

/// Puts defaults in place of nulls (`replace.null.with.default`). Absent is not null, and stays.
pub(super) fn fill_defaults(batch: &mut Batch, fields: &[Field], cells: &mut [Cell]) {
    for (field, cell) in fields.iter().zip(cells) {
        if let (Some(default), Cell::Null) = (&field.schema.default, *cell) {
            *cell = batch.push_value(default, Some(&field.schema));
        }
    }
}

/// A cell that says its value by itself: a constant is looked up in its field.
pub(super) fn own_cell(batch: &mut Batch, field: &Field, cell: Cell) -> Cell {
    match (&field.constant, cell) {
        (Some(value), Cell::Const) => batch.push_value(value, Some(&field.schema)),
        _ => cell,
    }
}

/// A field's cell to read.
pub(super) fn datum_of<'a>(batch: &'a Batch, field: &'a Field, cell: Cell) -> Datum<'a> {
    match (&field.constant, cell) {
        (Some(value), Cell::Const) => Datum::of_value(Some(&field.schema), value),
        _ => Datum::of(batch, Some(&field.schema), cell),
    }
}

/// The entries of a schemaless map.
pub(super) fn entries(value: Value, purpose: &'static str) -> Result<Vec<(String, Value)>> {
    match value {
        Value::Map(entries) => Ok(entries),
        _ => Err(Error::record(format!(
            "Only Map objects supported in absence of schema for [{purpose}]"
        ))),
    }
}

/// Sets an entry of a schemaless map; a new one comes last.
pub(super) fn put(entries: &mut Vec<(String, Value)>, name: &str, value: Value) {
    match entries.iter_mut().find(|(known, _)| known == name) {
        Some((_, place)) => *place = value,
        None => entries.push((name.to_owned(), value)),
    }
}

/// A struct with other fields but the same name, version, documentation and parameters. As in Kafka Connect it is
/// required and has no default.
pub(super) fn with_fields(schema: &Schema, fields: Vec<Field>) -> Result<Schema> {
    for (at, field) in fields.iter().enumerate() {
        if fields.iter().take(at).any(|other| other.name == field.name) {
            return Err(
                Error::record("Cannot create field because of field name duplication")
                    .context("field", &field.name),
            );
        }
    }
    let mut new = basics(schema, Type::Struct(fields.into()));
    new.absent = schema.absent.clone();
    Ok(new)
}

/// Name, version, documentation and parameters of a schema on another type.
pub(super) fn basics(schema: &Schema, ty: Type) -> Schema {
    Schema {
        name: schema.name.clone(),
        version: schema.version,
        doc: schema.doc.clone(),
        parameters: schema.parameters.clone(),
        ..Schema::of(ty)
    }
}

fn only_structs(purpose: &'static str) -> Error {
    Error::record(format!("Only Struct objects supported for [{purpose}]"))
}
