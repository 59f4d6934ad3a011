//! Workloads of the stream that differ in what is written: their tables, their changes, and how many records these are.

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
}

const ALL_TABLES: &str = "w\\..*";
/// Columns of the wide table.
const COLUMNS: u64 = 200;
/// Tables of the workload with many.
const TABLES: u64 = 1000;
/// Rows of one transaction.
const BATCH: u64 = 1000;

/// All of them, so large that each takes about as long as `rows` narrow rows.
pub(crate) fn all(rows: u64) -> Vec<Workload> {
    vec![
        narrow(rows),
        wide(rows / 20),
        jsonb(rows / 4),
        toast(rows / 2),
        full_identity(rows / 2),
        deletes(rows / 2),
        small_transactions(rows / 2),
        huge_transaction(rows),
        many_tables(rows / 2),
        tenth(rows),
    ]
}

/// Runs a statement for `1..=rows` in transactions of a thousand; `{from}` and `{to}` are the numbers of each.
fn in_batches(rows: u64, statement: &str) -> String {
    let statement = statement
        .replace("{from}", "(batch * 1000 + 1)")
        .replace("{to}", &format!("least((batch + 1) * 1000, {rows})"));
    let last = rows.div_ceil(BATCH).max(1) - 1;
    format!("do $$ begin for batch in 0..{last} loop {statement}; commit; end loop; end $$")
}

fn inserts(name: &'static str, columns: &str, values: &str, rows: u64) -> Workload {
    let insert =
        format!("insert into w.t select i, {values} from generate_series({{from}}, {{to}}) i");
    Workload {
        name,
        setup: format!("create table w.t (id bigint primary key, {columns})"),
        warm: format!("insert into w.t select i, {values} from generate_series(-1, -1) i"),
        warm_records: 1,
        write: in_batches(rows, &insert),
        changes: rows,
        records: rows,
        tables: ALL_TABLES,
    }
}

fn narrow(rows: u64) -> Workload {
    inserts("narrow", "n int", "i % 1000", rows)
}

fn wide(rows: u64) -> Workload {
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
        format!("'column {at} of ' || i")
    });
    inserts("wide, 200 columns", &columns, &values, rows)
}

fn jsonb(rows: u64) -> Workload {
    let document = "jsonb_build_object('order', i, 'customer', md5(i::text), 'tags', array['a', 'b', 'c', 'd'], \
        'lines', (select jsonb_agg(jsonb_build_object('sku', md5((i + n)::text), 'count', n, 'price', n * 1.25)) \
        from generate_series(1, 20) n))";
    inserts("jsonb heavy", "document jsonb", document, rows)
}

fn small_transactions(rows: u64) -> Workload {
    let one_by_one = format!(
        "set synchronous_commit = off;
         do $$ begin for i in 1..{rows} loop insert into w.t values (i, i); commit; end loop; end $$"
    );
    Workload {
        write: one_by_one,
        ..inserts("small transactions", "n int", "i", rows)
    }
}

fn huge_transaction(rows: u64) -> Workload {
    Workload {
        write: format!("insert into w.t select i, i from generate_series(1, {rows}) i"),
        ..inserts("huge transaction", "n int", "i", rows)
    }
}

/// Rows that are there before, and a change of some of them over and over.
fn updates(name: &'static str, setup: String, rows: u64) -> Workload {
    let update = "update w.t set n = n + 1 where id <= 1000";
    Workload {
        name,
        setup,
        warm: "update w.t set n = n + 1 where id = 1".to_owned(),
        warm_records: 1,
        write: in_batches(rows, update),
        changes: rows.div_ceil(BATCH) * BATCH,
        records: rows.div_ceil(BATCH) * BATCH,
        tables: ALL_TABLES,
    }
}

fn toast(rows: u64) -> Workload {
    let setup = "create table w.t (id bigint primary key, n int, body text);
        alter table w.t alter body set storage external;
        insert into w.t select i, 0, repeat(md5(i::text), 640) from generate_series(1, 1000) i";
    updates("toast heavy, unchanged", setup.to_owned(), rows)
}

fn full_identity(rows: u64) -> Workload {
    let setup = "create table w.t (id bigint primary key, n int, name varchar(40), amount numeric(12,2), at timestamptz);
        alter table w.t replica identity full;
        insert into w.t select i, 0, 'name of ' || i, i / 100.0, now() from generate_series(1, 1000) i";
    updates("updates, identity full", setup.to_owned(), rows)
}

fn deletes(rows: u64) -> Workload {
    let there = format!("insert into w.t select i, i from generate_series(1, {rows}) i");
    let base = inserts("deletes", "n int", "i", rows);
    Workload {
        setup: format!("{}; {there}", base.setup),
        write: in_batches(rows, "delete from w.t where id between {from} and {to}"),
        // Each with its tombstone.
        records: 2 * rows,
        ..base
    }
}

fn many_tables(rows: u64) -> Workload {
    let each = |what: &str| {
        format!(
            "do $$ begin for at in 1..{TABLES} loop execute format('{what}', at); end loop; end $$"
        )
    };
    let rounds = rows.div_ceil(TABLES).max(1);
    Workload {
        name: "1000 tables",
        setup: each("create table w.t%s (id bigint primary key, n int)"),
        warm: each("insert into w.t%s values (0, 0)"),
        warm_records: TABLES,
        write: format!(
            "do $$ begin for round in 1..{rounds} loop for at in 1..{TABLES} loop
               execute format('insert into w.t%s values ($1, $1)', at) using round;
             end loop; commit; end loop; end $$"
        ),
        changes: rounds * TABLES,
        records: rounds * TABLES,
        tables: ALL_TABLES,
    }
}

fn tenth(rows: u64) -> Workload {
    let tables: String = (0..10)
        .map(|at| format!("create table w.t{at} (id bigint primary key, n int);"))
        .collect();
    let inserts: Vec<String> = (0..10)
        .map(|at| {
            format!(
                "insert into w.t{at} select i, i from generate_series({{from}}, {{to}}) i where i % 10 = {at}"
            )
        })
        .collect();
    Workload {
        name: "10 % captured",
        setup: tables,
        warm: "insert into w.t0 values (-1, -1)".to_owned(),
        warm_records: 1,
        write: in_batches(rows, &inserts.join("; ")),
        changes: rows,
        records: rows / 10,
        tables: "w\\.t0,w\\.marker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_with_names_of_their_own() {
        let all = all(20_000);
        let mut names: Vec<&str> = all.iter().map(|workload| workload.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 10);
        assert!(all.iter().all(|workload| workload.records > 0));
    }
}
