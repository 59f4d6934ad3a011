use std::sync::Arc;

use connect_core::Config;

use super::*;
use crate::{
    binlog::{Event, Header, TableMap},
    captured::captured,
    config::{MySqlConfig, tests::given},
    ddl::evolve,
    position::Place,
    tables::Compiler,
    versions::Versions,
    wire::Flavor,
};

/// A table of two integers, by the number 5.
fn tables() -> Result<Tables> {
    let config = MySqlConfig::parse(&given(&[])).unwrap();
    let captured = captured(&config, &mut Vec::new()).unwrap();
    let compiler = Compiler::new(&config, Flavor::MySql, Arc::new(captured));
    let mut tables = Tables::new(compiler, Versions::default());
    let sql = "create table t (id int primary key, v int)";
    let map = TableMap {
        id: 5,
        database: "d",
        name: "t",
        types: &[3, 3],
        metadata: &[],
        nullable: &[2],
        optional: &[],
    };
    tables.told(
        &map,
        &evolve::created(sql.into(), ("d", "t"), None).unwrap(),
    )?;
    Ok(tables)
}

/// Reads an event of rows, behind the head that all have; gives how many records it became.
fn read(kind: u8, behind: &[u8]) -> Result<u64> {
    let body = [b"\x05\0\0\0\0\0\x01\0\x02\0", behind].concat();
    let header = Header {
        kind,
        ..Header::default()
    };
    let Event::Rows(rows) = binlog::event(&header, &body)? else {
        panic!("no rows");
    };
    let skipped = SkippedOperations::default();
    let (mut course, mut writer) = (Course::new(Place::default()), ChangeWriter::new(false));
    let (mut heard, mut out) = (Heard::new(None), Batch::default());
    writer.begin_batch(&mut out);
    let to = (&mut course, &mut writer, &mut heard);
    RowReader::new(skipped).read(&rows, &tables()?, None, to, &mut out)?;
    Ok(out.len() as u64)
}

#[test]
fn rows_without_a_column_are_refused_and_not_read_for_ever() {
    // Two columns; both are there, or none is.
    let two = [7, 0, 0, 0, 9, 0, 0, 0];
    let insert = [&[2, 3, 0][..], &two, &[0], &two].concat();
    assert_eq!(read(30, &insert).unwrap(), 2);
    // A row of defaults.
    assert_eq!(read(30, &[2, 0]).unwrap(), 1);
    assert_eq!(read(32, &[2, 0]).unwrap(), 0);
    for (kind, head) in [
        (30, &[2, 0][..]),
        (31, &[2, 0, 0]),
        (32, &[2, 0]),
        (39, &[2, 0, 0]),
    ] {
        let told = read(kind, &[head, &two].concat()).unwrap_err();
        assert!(told.to_string().contains("no columns"), "{kind}: {told}");
    }
    let other = read(30, &[3, 7, 0, 1]).unwrap_err();
    assert!(
        other.to_string().contains("another number of columns"),
        "{other}"
    );
}
