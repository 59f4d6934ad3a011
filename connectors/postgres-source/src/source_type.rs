//! `column.propagate.source.type`, `datatype.propagate.source.type`: a column's type in the parameters of its schema.
//!
//! Lengths and scales are those that the JDBC driver tells of a type, as Debezium shows them.

use std::sync::Arc;

use cdc::filters::Patterns;
use connect_core::{Field, Finding, Schema, config::List};

use crate::{
    catalog::{ColumnInfo, TableInfo},
    types::{Custom, Customs, oid},
};

/// The length of what has none.
const UNLIMITED: i32 = i32::MAX;
/// A domain over a domain over … ends somewhere.
const DEPTH: usize = 16;

/// Which columns tell their types.
#[derive(Debug, Clone)]
pub(crate) struct SourceTypes {
    columns: Patterns,
    types: Patterns,
}

impl SourceTypes {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub(crate) fn new(
        columns: (&str, &List),
        types: (&str, &List),
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let mut compile = |(key, list)| Patterns::compile(key, list, findings);
        let (columns, types) = (compile(columns), compile(types));
        Some(Self {
            columns: columns?,
            types: types?,
        })
    }

    /// Adds the type of a column to the schema of its field, where that is wanted.
    pub(crate) fn tell(
        &self,
        table: &TableInfo,
        column: &ColumnInfo,
        customs: &Customs,
        field: &mut Field,
    ) {
        let wanted = |patterns: &Patterns, name: &str| {
            !patterns.is_empty() && patterns.matches(&format!("{}.{name}", table.full_name()))
        };
        if !wanted(&self.columns, &column.name) && !wanted(&self.types, &column.source_type) {
            return;
        }
        let (length, scale) = extent(customs, column.type_oid, column.modifier, DEPTH);
        // Only the stream tells a `numeric` of any precision apart from one without.
        let is_open = column.type_oid == oid::NUMERIC && column.modifier < 4 && !table.streamed;
        let (length, scale) = match is_open {
            true => (0, None),
            false => (length, Some(scale)),
        };
        let add = |schema: Schema, name: &str, value: String| {
            schema.parameter(format!("__debezium.source.column.{name}"), value)
        };
        let schema = Schema::clone(&field.schema);
        let schema = add(schema, "type", column.source_type.to_uppercase());
        let schema = add(schema, "length", length.to_string());
        let schema = match scale {
            Some(scale) => add(schema, "scale", scale.to_string()),
            None => schema,
        };
        let schema = add(schema, "name", column.name.clone());
        field.schema = Arc::new(schema);
    }
}

/// Length and scale of a type with a modifier.
fn extent(customs: &Customs, type_oid: u32, modifier: i32, depth: usize) -> (i32, i32) {
    if let (Some(Custom::Domain(base, of_base)), Some(depth)) =
        (customs.get(&type_oid), depth.checked_sub(1))
    {
        return extent(customs, *base, *of_base, depth);
    }
    let array = oid::ARRAYS.iter().find(|(array, _)| *array == type_oid);
    let type_oid = array.map_or(type_oid, |(_, item)| *item);
    let length = match precision(type_oid, modifier) {
        0 => display_size(type_oid, modifier),
        length => length,
    };
    (length, scale(type_oid, modifier))
}

fn precision(type_oid: u32, modifier: i32) -> i32 {
    match type_oid {
        oid::INT2 => 5,
        oid::INT4 | oid::OID => 10,
        oid::INT8 => 19,
        oid::FLOAT4 => 8,
        oid::FLOAT8 => 17,
        oid::NUMERIC if modifier >= 4 => (modifier - 4) >> 16,
        oid::CHAR | oid::BOOL => 1,
        oid::BPCHAR | oid::VARCHAR if modifier >= 4 => modifier - 4,
        oid::BIT | oid::VARBIT if modifier > 0 => modifier,
        oid::DATE | oid::TIME | oid::TIMETZ | oid::INTERVAL | oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            display_size(type_oid, modifier)
        }
        _ => 0,
    }
}

fn display_size(type_oid: u32, modifier: i32) -> i32 {
    let fraction = match modifier {
        -1 => 7,
        0 => 0,
        // There are always two digits of a fraction.
        1 => 3,
        digits => digits.saturating_add(1),
    };
    match type_oid {
        oid::DATE => 13,
        oid::TIME => 8 + fraction,
        oid::TIMETZ => 14 + fraction,
        oid::TIMESTAMP => 22 + fraction,
        oid::TIMESTAMPTZ => 28 + fraction,
        oid::INTERVAL => 49,
        oid::NUMERIC => 131_089,
        _ => UNLIMITED,
    }
}

fn scale(type_oid: u32, modifier: i32) -> i32 {
    match type_oid {
        oid::FLOAT4 => 8,
        oid::FLOAT8 => 17,
        oid::NUMERIC if modifier >= 4 => (modifier - 4) & 0xffff,
        oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ if modifier >= 0 => modifier,
        oid::INTERVAL if modifier >= 0 => modifier & 0xffff,
        oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::INTERVAL => 6,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_those_of_the_driver() {
        let mut customs = Customs::default();
        customs.insert(20_000, Custom::Domain(20_001, -1));
        customs.insert(20_001, Custom::Domain(oid::VARCHAR, 11));
        customs.insert(20_002, Custom::Domain(20_002, -1));
        let of = |type_oid, modifier| extent(&customs, type_oid, modifier, DEPTH);
        assert_eq!(of(oid::INT4, -1), (10, 0));
        assert_eq!(of(oid::VARCHAR, 24), (20, 0));
        assert_eq!(of(oid::TEXT, -1), (UNLIMITED, 0));
        assert_eq!(of(oid::NUMERIC, (5 << 16 | 2) + 4), (5, 2));
        assert_eq!(of(oid::TIMESTAMP, 3), (26, 3));
        assert_eq!(of(20_000, -1), (7, 0));
        assert_eq!(of(20_002, -1), (UNLIMITED, 0), "around in a circle");
    }
}
