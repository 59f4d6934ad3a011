//! Workloads of the stream that differ in what is written: their tables, their changes, and how many records these are.

mod mysql;
mod postgres;

pub(crate) use mysql::MysqlDialect;
pub(crate) use postgres::PostgresDialect;

/// What is not the same SQL everywhere.
pub(crate) trait Dialect {
    /// Runs a statement for `1..=rows` in transactions of a thousand; `{from}` and `{to}` are the numbers of each.
    fn in_batches(&self, rows: u64, statement: &str) -> String;

    /// A table expression of the numbers `i` from one to another.
    fn series(&self, from: &str, to: &str) -> String;

    /// Inserts `1..=rows` into `w.t`, each in a transaction of its own, without waiting for the disk.
    fn one_by_one(&self, rows: u64) -> String;

    /// The type of a JSON document, and an expression of one with some twenty objects for the row `i`.
    fn document(&self) -> (&'static str, &'static str);

    /// Workloads that say how much of a row an update sends.
    fn images(&self, rows: u64) -> Vec<Workload>;

    /// Runs a statement for each of so many tables, whose number stands for `%s`.
    fn each_table(&self, tables: u64, statement: &str) -> String;

    /// Inserts so many rows into each of them, by turns.
    fn fill_each_table(&self, tables: u64, rounds: u64) -> String;
}

/// A workload of a certain size. All its tables are in the schema `w`, beside `w.marker`.
pub(crate) struct Workload {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// Makes and fills the tables.
    pub(crate) setup: String,
    /// Changes a row of each captured table, so that no topic is made while it is measured.
    pub(crate) warm: String,
    /// Records that become of that.
    pub(crate) warm_records: u64,
    /// What is measured.
    pub(crate) write: String,
    /// Rows that this writes, those of tables that are not captured included.
    pub(crate) changes: u64,
    /// Records that become of it.
    pub(crate) records: u64,
    /// What `table.include.list` lets through.
    pub(crate) tables: &'static str,
    /// Whether Debezium can read it.
    pub(crate) is_for_peer: bool,
}

const ALL_TABLES: &str = "w\\..*";
/// Columns of the wide table.
const COLUMNS: u64 = 200;
/// Tables of the workload with many.
const TABLES: u64 = 1000;
/// Rows of one transaction.
const BATCH: u64 = 1000;

/// All of them, so large that each takes about as long as `rows` narrow rows.
pub(crate) fn all(sql: &dyn Dialect, rows: u64) -> Vec<Workload> {
    let mut all = vec![narrow(sql, rows), wide(sql, rows / 20), json(sql, rows / 4)];
    all.extend(sql.images(rows / 2));
    all.extend([
        deletes(sql, rows / 2),
        small_transactions(sql, rows / 2),
        huge_transaction(sql, rows),
        many_tables(sql, rows / 2),
        tenth(sql, rows),
    ]);
    all
}

fn inserts(
    sql: &dyn Dialect,
    name: &'static str,
    columns: &str,
    values: &str,
    rows: u64,
) -> Workload {
    let insert = format!(
        "insert into w.t select i, {values} from {}",
        sql.series("{from}", "{to}")
    );
    Workload {
        name,
        setup: format!("create table w.t (id bigint primary key, {columns})"),
        warm: format!("insert into w.t select i, {values} from (select -1 as i) one"),
        warm_records: 1,
        write: sql.in_batches(rows, &insert),
        changes: rows,
        records: rows,
        tables: ALL_TABLES,
        is_for_peer: true,
    }
}

/// So many rows at once.
fn into_t(sql: &dyn Dialect, rows: u64) -> String {
    let series = sql.series("1", &rows.to_string());
    format!("insert into w.t select i, i from {series}")
}

fn json(sql: &dyn Dialect, rows: u64) -> Workload {
    let (kind, document) = sql.document();
    inserts(
        sql,
        "json heavy",
        &format!("document {kind}"),
        document,
        rows,
    )
}

fn narrow(sql: &dyn Dialect, rows: u64) -> Workload {
    inserts(sql, "narrow", "n int", "i % 1000", rows)
}

fn wide(sql: &dyn Dialect, rows: u64) -> Workload {
    let list = |number: &dyn Fn(u64) -> String, text: &dyn Fn(u64) -> String| {
        let one = |at: u64| {
            if at.is_multiple_of(2) {
                number(at)
            } else {
                text(at)
            }
        };
        (1..COLUMNS).map(one).collect::<Vec<_>>().join(", ")
    };
    let columns = list(&|at| format!("c{at} int"), &|at| {
        format!("c{at} varchar(40)")
    });
    let values = list(&|at| format!("i + {at}"), &|at| {
        format!("concat('column {at} of ', i)")
    });
    inserts(sql, "wide, 200 columns", &columns, &values, rows)
}

fn small_transactions(sql: &dyn Dialect, rows: u64) -> Workload {
    Workload {
        write: sql.one_by_one(rows),
        ..inserts(sql, "small transactions", "n int", "i", rows)
    }
}

fn huge_transaction(sql: &dyn Dialect, rows: u64) -> Workload {
    Workload {
        write: into_t(sql, rows),
        ..inserts(sql, "huge transaction", "n int", "i", rows)
    }
}

/// Rows that are there before, and a change of some of them over and over.
fn updates(sql: &dyn Dialect, name: &'static str, setup: String, rows: u64) -> Workload {
    let update = "update w.t set n = n + 1 where id <= 1000";
    Workload {
        name,
        setup,
        warm: "update w.t set n = n + 1 where id = 1".to_owned(),
        warm_records: 1,
        write: sql.in_batches(rows, update),
        changes: rows.div_ceil(BATCH) * BATCH,
        records: rows.div_ceil(BATCH) * BATCH,
        tables: ALL_TABLES,
        is_for_peer: true,
    }
}

fn deletes(sql: &dyn Dialect, rows: u64) -> Workload {
    let base = inserts(sql, "deletes", "n int", "i", rows);
    Workload {
        setup: format!("{}; {}", base.setup, into_t(sql, rows)),
        write: sql.in_batches(rows, "delete from w.t where id between {from} and {to}"),
        // Each with its tombstone.
        records: 2 * rows,
        ..base
    }
}

fn many_tables(sql: &dyn Dialect, rows: u64) -> Workload {
    let rounds = rows.div_ceil(TABLES).max(1);
    let each = |statement| sql.each_table(TABLES, statement);
    Workload {
        name: "1000 tables",
        setup: each("create table w.t%s (id bigint primary key, n int)"),
        warm: each("insert into w.t%s values (0, 0)"),
        warm_records: TABLES,
        write: sql.fill_each_table(TABLES, rounds),
        changes: rounds * TABLES,
        records: rounds * TABLES,
        tables: ALL_TABLES,
        is_for_peer: true,
    }
}

fn tenth(sql: &dyn Dialect, rows: u64) -> Workload {
    let tables: String = (0..10)
        .map(|at| format!("create table w.t{at} (id bigint primary key, n int);"))
        .collect();
    let inserts: Vec<String> = (0..10)
        .map(|at| {
            format!(
                "insert into w.t{at} select i, i from {} where i % 10 = {at}",
                sql.series("{from}", "{to}")
            )
        })
        .collect();
    Workload {
        name: "10 % captured",
        setup: tables,
        warm: "insert into w.t0 values (-1, -1)".to_owned(),
        warm_records: 1,
        write: sql.in_batches(rows, &inserts.join("; ")),
        changes: rows,
        records: rows / 10,
        tables: "w\\.t0,w\\.marker",
        is_for_peer: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_with_names_of_their_own() {
        for sql in [&PostgresDialect as &dyn Dialect, &MysqlDialect] {
            let all = all(sql, 20_000);
            let mut names: Vec<&str> = all.iter().map(|workload| workload.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), 10);
            assert!(all.iter().all(|workload| workload.records > 0));
        }
    }
}
