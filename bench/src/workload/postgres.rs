//! PostgreSQL's SQL of the workloads.

use super::{BATCH, Dialect, Workload, updates};

/// PostgreSQL.
pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn in_batches(&self, rows: u64, statement: &str) -> String {
        let statement = statement
            .replace("{from}", "(batch * 1000 + 1)")
            .replace("{to}", &format!("least((batch + 1) * 1000, {rows})"));
        let last = rows.div_ceil(BATCH).max(1) - 1;
        format!("do $$ begin for batch in 0..{last} loop {statement}; commit; end loop; end $$")
    }

    fn series(&self, from: &str, to: &str) -> String {
        format!("generate_series({from}, {to}) i")
    }

    fn one_by_one(&self, rows: u64) -> String {
        format!(
            "set synchronous_commit = off;
             do $$ begin for i in 1..{rows} loop insert into w.t values (i, i); commit; end loop; end $$"
        )
    }

    fn document(&self) -> (&'static str, &'static str) {
        let document = "jsonb_build_object('order', i, 'customer', md5(i::text), 'tags', array['a', 'b', 'c', 'd'], \
            'lines', (select jsonb_agg(jsonb_build_object('sku', md5((i + n)::text), 'count', n, 'price', n * 1.25)) \
            from generate_series(1, 20) n))";
        ("jsonb", document)
    }

    fn images(&self, rows: u64) -> Vec<Workload> {
        vec![toast(self, rows), full_identity(self, rows)]
    }

    fn each_table(&self, tables: u64, statement: &str) -> String {
        format!(
            "do $$ begin for at in 1..{tables} loop execute format('{statement}', at); end loop; end $$"
        )
    }

    fn fill_each_table(&self, tables: u64, rounds: u64) -> String {
        format!(
            "do $$ begin for round in 1..{rounds} loop for at in 1..{tables} loop
               execute format('insert into w.t%s values ($1, $1)', at) using round;
             end loop; commit; end loop; end $$"
        )
    }
}

fn toast(sql: &dyn Dialect, rows: u64) -> Workload {
    let setup = "create table w.t (id bigint primary key, n int, body text);
        alter table w.t alter body set storage external;
        insert into w.t select i, 0, repeat(md5(i::text), 640) from generate_series(1, 1000) i";
    updates(sql, "toast heavy, unchanged", setup.to_owned(), rows)
}

fn full_identity(sql: &dyn Dialect, rows: u64) -> Workload {
    let setup = "create table w.t (id bigint primary key, n int, name varchar(40), amount numeric(12,2), at timestamptz);
        alter table w.t replica identity full;
        insert into w.t select i, 0, 'name of ' || i, i / 100.0, now() from generate_series(1, 1000) i";
    updates(sql, "updates, identity full", setup.to_owned(), rows)
}
