//! The SQL that reads a part of a table.

use super::Planned;
use crate::{
    catalog::{ColumnInfo, TableInfo, literal, quoted},
    convert::Op,
    position::Range,
};

/// The places of the primary key among the columns; empty when there is none, and rows come in any order.
pub(super) fn order(info: &TableInfo) -> Vec<u16> {
    if !info.has_primary_key {
        return Vec::new();
    }
    let place = |name: &String| {
        let at = info
            .columns
            .iter()
            .position(|column| column.name == *name)?;
        u16::try_from(at).ok()
    };
    info.key
        .iter()
        .map(place)
        .collect::<Option<_>>()
        .unwrap_or_default()
}

/// Gives the rows of a range: in the order of their keys if the range is one of keys.
pub(super) fn copy(planned: &Planned, range: &Range) -> String {
    let info = &planned.info;
    let names: Vec<String> = (info.columns.iter().zip(&planned.table.columns))
        .map(|(column, compiled)| match compiled.op {
            Op::Skip => "NULL".to_owned(),
            _ => quoted(&column.name),
        })
        .collect();
    let condition = condition(info, range);
    let from = match condition.is_empty() {
        true => String::new(),
        false => format!(" WHERE {condition}"),
    };
    let keys = key_names(info);
    let by = match range {
        Range::Keys { .. } if !keys.is_empty() => format!(" ORDER BY {keys}"),
        _ => String::new(),
    };
    let (columns, table) = (names.join(", "), info.sql_name());
    format!("COPY (SELECT {columns} FROM {table}{from}{by}) TO STDOUT")
}

/// What is true of the rows of a range; empty for all rows.
pub(super) fn condition(info: &TableInfo, range: &Range) -> String {
    let mut conditions = Vec::new();
    match range {
        Range::Whole => {}
        Range::Keys { after, upto } => {
            let names = key_names(info);
            let bound = |relation: &str, values: &[String]| {
                let values = key_values(info, values)?;
                Some(format!("({names}) {relation} ({values})"))
            };
            conditions.extend(bound(">", after));
            conditions.extend(bound("<=", upto));
        }
        Range::Pages { from, to, .. } => {
            let bound = |relation: &str, page: &u32| format!("ctid {relation} '({page},0)'");
            conditions.extend((*from > 0).then(|| bound(">=", from)));
            conditions.extend(to.as_ref().map(|page| bound("<", page)));
        }
    }
    conditions.join(" AND ")
}

/// The columns of the primary key, separated by commas; empty when there is none.
pub(super) fn key_names(info: &TableInfo) -> String {
    let names: Vec<String> = key_columns(info).map(|key| quoted(&key.name)).collect();
    names.join(", ")
}

/// The values of a key in SQL; `None` when these are not values of this key.
fn key_values(info: &TableInfo, values: &[String]) -> Option<String> {
    let keys: Vec<&ColumnInfo> = key_columns(info).collect();
    if values.is_empty() || keys.len() != values.len() {
        return None;
    }
    let values: Vec<String> = (keys.iter().zip(values))
        .map(|(key, value)| format!("{}::{}", literal(value), key.type_name))
        .collect();
    Some(values.join(", "))
}

fn key_columns(info: &TableInfo) -> impl Iterator<Item = &ColumnInfo> {
    let places = order(info).into_iter();
    places.filter_map(|at| info.columns.get(usize::from(at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::info;

    fn keyed() -> TableInfo {
        let column = |name: &str, type_name: &str| ColumnInfo {
            name: name.into(),
            type_oid: 25,
            modifier: -1,
            source_type: String::new(),
            type_name: type_name.into(),
            required: true,
            default: None,
        };
        TableInfo {
            columns: vec![column("b", "integer"), column("A", "text")],
            key: vec!["A".into(), "b".into()],
            ..info("s", "t")
        }
    }

    #[test]
    fn ranges_are_conditions() {
        let texts = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let range = Range::Keys {
            after: texts(["it's", "1"]),
            upto: texts(["x", "2"]),
        };
        let expected = "(\"A\", \"b\") > ('it''s'::text, '1'::integer) AND (\"A\", \"b\") <= ('x'::text, '2'::integer)";
        assert_eq!(condition(&keyed(), &range), expected);
        assert_eq!(condition(&keyed(), &Range::behind(Vec::new())), "");
        let of_another_key = Range::behind(vec!["1".into()]);
        assert_eq!(condition(&keyed(), &of_another_key), "");
        let pages = |from, to| Range::Pages { file: 1, from, to };
        assert_eq!(condition(&keyed(), &pages(0, Some(9))), "ctid < '(9,0)'");
        assert_eq!(condition(&keyed(), &pages(9, None)), "ctid >= '(9,0)'");
    }
}
