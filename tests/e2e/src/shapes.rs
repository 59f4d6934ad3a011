//! A MySQL or MariaDB table whose columns come, go, move and are renamed, with rows that tell which columns they had when they were
//! written; and whether their records tell the same.

use std::collections::BTreeSet;

use serde_json::Value;
use stack::Mysql;

use crate::{Outcome, Rounds, scene::SOURCE};

/// The table, as a filter names it.
pub const TABLE: &str = "inventory.shapes";

/// The topic.
pub fn topic() -> String {
    format!("{SOURCE}.{TABLE}")
}

const CREATE: &str = "create table shapes (id bigint primary key, shape varchar(500) character set utf8mb4, a varchar(40), b varchar(40));";
/// A change of the table is followed by so many rows.
const ROWS: u64 = 3;

/// Makes the table, empty.
pub fn table(mysql: &Mysql) -> Outcome {
    mysql.sql(CREATE)?;
    mysql.sql("create table ids (id bigint); insert into ids values (1)")?;
    Ok(())
}

/// Changes the table and writes rows, by turns. Every row has an id of its own, and the ids grow.
pub fn reshape(mysql: &Mysql) -> Rounds {
    let server = mysql.clone();
    Rounds::start(move |round| one(&server, round).is_ok())
}

/// A change and rows behind it; a round that failed in the middle may be done again.
fn one(mysql: &Mysql, round: u64) -> Outcome {
    let first = next_id(mysql)?;
    mysql.sql(&change(&columns(mysql)?, round, first))?;
    let columns = columns(mysql)?;
    let shape = columns.join(",");
    let value = |id: u64, name: &String| match name.as_str() {
        "id" => id.to_string(),
        "shape" => format!("'{shape}'"),
        name => format!("'{name}:ä{id}'"),
    };
    let row = |id: u64| {
        let values: Vec<String> = columns.iter().map(|name| value(id, name)).collect();
        format!("({})", values.join(","))
    };
    let rows: Vec<String> = (first..first + ROWS).map(row).collect();
    mysql.sql(&format!(
        "begin; insert into shapes values {}; update ids set id = {}; commit",
        rows.join(","),
        first + ROWS
    ))?;
    Ok(())
}

fn columns(mysql: &Mysql) -> Outcome<Vec<String>> {
    let told = mysql.sql(
        "select column_name from information_schema.columns
         where table_schema = 'inventory' and table_name = 'shapes' order by ordinal_position",
    )?;
    Ok(told.lines().map(str::to_owned).collect())
}

/// What changes in a round; `new` is part of new names. There are always some columns left.
fn change(columns: &[String], round: u64, new: u64) -> String {
    let loose: Vec<&String> = columns.iter().filter(|name| !is_fixed(name)).collect();
    let (Some(first), Some(last)) = (loose.first(), loose.last()) else {
        return format!("alter table shapes add column n{new} varchar(40)");
    };
    match round % 12 {
        0 => format!("alter table shapes add column e{new} varchar(40)"),
        1 => format!("alter table shapes add column f{new} varchar(40) first"),
        2 => format!("alter table shapes rename column {first} to r{new}"),
        3 => format!("alter table shapes modify {last} varchar(40) after id"),
        4 => "alter table shapes convert to character set latin1".to_owned(),
        5 if loose.len() > 3 => format!("alter table shapes drop column {first}, drop column {last}"),
        6 => "truncate table shapes".to_owned(),
        7 => format!(
            "create table shapes_new like shapes; alter table shapes_new add column s{new} varchar(40) after id, modify {first} varchar(300);
             rename table shapes to shapes_old, shapes_new to shapes; drop table shapes_old"
        ),
        8 => format!("alter table shapes change {last} c{new} varchar(50) first"),
        9 => "alter table shapes convert to character set utf8mb4".to_owned(),
        10 if first != last => format!(
            "alter table shapes rename column {first} to swapped, rename column {last} to {first};
             alter table shapes rename column swapped to {last}"
        ),
        11 if round % 24 == 23 => format!("drop table shapes; {CREATE}"),
        _ => format!("alter table shapes comment = 'round {round}'"),
    }
}

/// The id of the next row, from a table that nobody captures.
fn next_id(mysql: &Mysql) -> Outcome<u64> {
    Ok(mysql.sql("select id from ids")?.trim().parse()?)
}

fn is_fixed(name: &str) -> bool {
    matches!(name, "id" | "shape")
}

/// Fails unless every row is told with the columns that it had, in their order, and none is missing. With `once` none may
/// come twice or out of order either.
pub fn assert_told(records: &[(String, String)], mysql: &Mysql, once: bool) -> Outcome {
    let mut seen = BTreeSet::new();
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let id =
            is_itself(&change["after"]).ok_or_else(|| format!("it had other columns: {value}"))?;
        let is_new = seen.last().is_none_or(|last| *last < id);
        if once && !is_new {
            return Err(format!("{id} comes again: {value}").into());
        }
        seen.insert(id);
    }
    let due = next_id(mysql)? - 1;
    if seen.len() as u64 != due || seen.last() != Some(&due) {
        return Err(format!(
            "{} of {due} rows are told, the last is {:?}",
            seen.len(),
            seen.last()
        )
        .into());
    }
    Ok(())
}

/// The id of a row that has exactly the columns that it says.
fn is_itself(row: &Value) -> Option<u64> {
    let id = row["id"].as_u64()?;
    let fields = row.as_object()?;
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    let is_own = |(name, value): (&String, &Value)| {
        is_fixed(name) || *value == format!("{name}:ä{id}").as_str()
    };
    let is = row["shape"].as_str()? == names.join(",") && fields.iter().all(is_own);
    is.then_some(id)
}
