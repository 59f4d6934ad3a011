//! The type of a column as `column.propagate.source.type` shows it: lengths and scales are those that the JDBC driver tells of it.

use cdc::source_types::{self, SourceTypes, Told};
use connect_core::Field;

use crate::{
    catalog::{ColumnInfo, TableInfo},
    types::{Custom, Customs, oid},
};

/// The length of what has none.
const UNLIMITED: i32 = i32::MAX;
/// A domain over a domain over … ends somewhere.
const DEPTH: usize = 16;

/// Adds the type of a column to the schema of its field, where that is wanted.
pub(crate) fn tell(
    wanted: &SourceTypes,
    (table, column): (&TableInfo, &ColumnInfo),
    customs: &Customs,
    field: &mut Field,
) {
    if !wanted.want(&table.full_name(), &column.name, &column.source_type) {
        return;
    }
    let (length, scale) = extent(customs, column.type_oid, column.modifier, DEPTH);
    // Only the stream tells a `numeric` of any precision apart from one without.
    let is_open = column.type_oid == oid::NUMERIC && column.modifier < 4 && !table.streamed;
    let (length, scale) = match is_open {
        true => (0, None),
        false => (length, Some(scale)),
    };
    let told = Told {
        name: &column.source_type.to_uppercase(),
        length: Some(length),
        scale,
        column: &column.name,
        comment: None,
    };
    source_types::tell(told, field);
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
