//! The frame of transforms that change geometries wherever they stand in a value. Schemas stay as they are.

use std::sync::Arc;

use connect_core::{Batch, Cell, Datum, Error, Record, Result, Route, Schema, Type, Value};

use super::{
    reshape::Reshape,
    row::{fill_defaults, own_cell, take_cells},
};

const PURPOSE: &str = "geometries";

/// What such a transform does with one geometry.
pub(super) trait OnGeometry: Send {
    /// Whether geometries within arrays and maps are changed too.
    const WITHIN_LISTS: bool;

    /// The new bytes, from Well-Known Binary (extended or not) and the SRID; `None` where they stay.
    fn change(&mut self, wkb: &[u8], srid: Option<i32>) -> Result<Option<Vec<u8>>>;
}

/// An [`OnGeometry`] as a transform of values.
pub(super) struct Geometries<G>(pub(super) G);

/// Where geometries are in a value.
pub(super) enum Place {
    Geometry,
    Struct(Vec<(usize, Self)>),
    Array(Box<Self>),
    /// In the values of a map.
    Map(Box<Self>),
}

impl Place {
    /// `None` where nothing changes. As in Debezium the defaults of every struct on the way stand in for nulls.
    fn of(schema: &Schema, within_lists: bool) -> Option<Self> {
        let inner = |schema| Self::of(schema, within_lists).map(Box::new);
        match &schema.ty {
            Type::Struct(_) if schema.is("io.debezium.data.geometry.Geometry") => {
                Some(Self::Geometry)
            }
            Type::Struct(_) => Self::of_fields(schema, within_lists),
            Type::Array(item) if within_lists => inner(item).map(Self::Array),
            Type::Map(_, value) if within_lists => inner(value).map(Self::Map),
            _ => None,
        }
    }

    fn of_fields(schema: &Schema, within_lists: bool) -> Option<Self> {
        let fields = schema.fields().iter().enumerate();
        let places: Vec<_> = fields
            .filter_map(|(at, field)| Some((at, Self::of(&field.schema, within_lists)?)))
            .collect();
        let has_default = |field: &connect_core::Field| field.schema.default.is_some();
        let stays = places.is_empty() && !schema.fields().iter().any(has_default);
        (!stays).then_some(Self::Struct(places))
    }
}

impl<G: OnGeometry> Geometries<G> {
    fn walk(
        &mut self,
        place: &Place,
        schema: &Arc<Schema>,
        batch: &mut Batch,
        cell: Cell,
    ) -> Result<Cell> {
        if matches!(cell, Cell::Null | Cell::Absent) {
            return Ok(cell);
        }
        match (place, &schema.ty) {
            (Place::Geometry, _) => self.geometry(schema, batch, cell),
            (Place::Struct(places), _) => self.fields(places, schema, batch, cell),
            (Place::Array(place), Type::Array(item)) => {
                let mut cells = listed(batch, schema, cell);
                for cell in &mut cells {
                    *cell = self.walk(place, item, batch, *cell)?;
                }
                Ok(batch.push_nest(&cells))
            }
            (Place::Map(place), Type::Map(_, value)) => {
                let mut cells = listed(batch, schema, cell);
                for cell in cells.iter_mut().skip(1).step_by(2) {
                    *cell = self.walk(place, value, batch, *cell)?;
                }
                Ok(batch.push_nest(&cells))
            }
            _ => Ok(cell),
        }
    }

    fn fields(
        &mut self,
        places: &[(usize, Place)],
        schema: &Arc<Schema>,
        batch: &mut Batch,
        cell: Cell,
    ) -> Result<Cell> {
        let (mut cells, fields) = (Vec::new(), schema.fields());
        take_cells(batch, schema, cell, PURPOSE, &mut cells)?;
        fill_defaults(batch, fields, &mut cells);
        for (at, place) in places {
            if let (Some(field), Some(cell)) = (fields.get(*at), cells.get_mut(*at)) {
                let own = own_cell(batch, field, *cell);
                *cell = self.walk(place, &field.schema, batch, own)?;
            }
        }
        Ok(batch.push_nest(&cells))
    }

    fn geometry(&mut self, schema: &Arc<Schema>, batch: &mut Batch, cell: Cell) -> Result<Cell> {
        let geometry = Datum::of(batch, Some(schema), cell);
        let srid = geometry.get("srid").and_then(Datum::int);
        let srid = srid.and_then(|srid| i32::try_from(srid).ok());
        let (Some(Value::Bytes(wkb)), Some((at, field))) = (
            geometry.get("wkb").map(Datum::to_value),
            schema.field("wkb"),
        ) else {
            return Err(Error::record("A geometry has no bytes in its field wkb"));
        };
        let Some(new) = self.0.change(&wkb, srid)? else {
            return Ok(cell);
        };
        let mut cells = Vec::new();
        take_cells(batch, schema, cell, PURPOSE, &mut cells)?;
        let new = batch.push_value(&Value::Bytes(new), Some(&field.schema));
        if let Some(place) = cells.get_mut(at) {
            *place = new;
        }
        Ok(batch.push_nest(&cells))
    }
}

/// The cells of an array, or of a map: keys and values by turns.
fn listed(batch: &mut Batch, schema: &Schema, cell: Cell) -> Vec<Cell> {
    let cell = match cell {
        Cell::Free(index) => {
            let value = batch.free(index).clone();
            batch.push_value(&value, Some(schema))
        }
        cell => cell,
    };
    match cell {
        Cell::Nest(nest) => batch.cells(nest).to_vec(),
        _ => Vec::new(),
    }
}

impl<G: OnGeometry> Reshape for Geometries<G> {
    type Plan = Option<(Arc<Schema>, Place)>;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Self::Plan)> {
        // Debezium looks at structs only, and within them.
        let place = match schema.ty {
            Type::Struct(_) => Place::of_fields(schema, G::WITHIN_LISTS),
            _ => None,
        };
        let plan = place.map(|place| (Arc::clone(schema), place));
        Ok((Arc::clone(schema), plan))
    }

    fn with_schema(
        &mut self,
        plan: &Self::Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        match plan {
            Some((schema, place)) => self.walk(place, schema, batch, cell),
            None => Ok(cell),
        }
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use connect_core::{Field, Form, Properties, transform::Transform};

    use super::{super::transform, *};

    fn route() -> Arc<Route> {
        let bytes = Schema::of(Type::Bytes).form(Form::Hex);
        let srid = Schema::of(Type::Int32).optional();
        let fields = [Field::new("wkb", bytes), Field::new("srid", srid)];
        let geometry = Schema::structure(fields).named("io.debezium.data.geometry.Geometry", 1);
        let row = Schema::structure([Field::new("g", geometry.optional())]);
        Route::new("t", None, Some(Arc::new(row)))
    }

    /// The digits of each geometry after the transform, in rows of one batch; an error for a row that is refused.
    fn made(class: &str, format: &str, digits: &[&str]) -> Vec<Result<String, String>> {
        let given = Properties::from([("format".to_owned(), format.to_owned())]);
        let mut transform: Box<dyn Transform> = transform(class, &given).unwrap();
        let (mut batch, route) = (Batch::default(), route());
        for digits in digits {
            let wkb = batch.push_bytes(digits.as_bytes());
            let geometry = batch.push_nest(&[wkb, Cell::Int(4326)]);
            let value = batch.push_nest(&[geometry]);
            let record = Record::new(batch.route_index(&route), Cell::Null, value);
            batch.push(record);
        }
        let refused = transform.apply(&mut batch, &|_| true).unwrap().refused;
        let digits = batch.rows().enumerate().map(|(at, row)| {
            let geometry = row.value().get("g").unwrap();
            let Some(Cell::Span(span)) = geometry.get("wkb").unwrap().cell() else {
                panic!("the bytes are a span");
            };
            match refused.iter().find(|(refused, _)| *refused == at) {
                Some((_, why)) => Err(why.to_string()),
                None => Ok(String::from_utf8(batch.span(span).to_vec()).unwrap()),
            }
        });
        digits.collect()
    }

    const PLAIN: &str = "0101000000000000000000f03f0000000000000040";
    const EXTENDED: &str = "0101000020e6100000000000000000f03f0000000000000040";

    #[test]
    fn bytes_that_lie_there_as_hex_stay_hex() {
        let swapped = made("SwapGeometryCoordinates", "", &[PLAIN, "01"]);
        let expected = "01010000000000000000000040000000000000f03f";
        assert_eq!(swapped[0].as_deref(), Ok(expected));
        assert!(swapped[1].as_ref().unwrap_err().contains("ends too early"));
    }

    #[test]
    fn an_srid_is_put_in_until_one_was_there() {
        let formed = |format| {
            made(
                "GeometryFormatTransformer",
                format,
                &[PLAIN, EXTENDED, PLAIN],
            )
        };
        let texts = |texts: [&str; 3]| texts.map(|text| Ok(text.to_owned()));
        assert_eq!(formed("wkb"), texts([EXTENDED, PLAIN, PLAIN]));
        assert_eq!(formed("ewkb"), texts([PLAIN, PLAIN, PLAIN]));
    }
}
