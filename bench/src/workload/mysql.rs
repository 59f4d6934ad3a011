//! The SQL of MySQL and MariaDB of the workloads.

use super::{BATCH, Dialect, Workload, updates};

/// MySQL and MariaDB.
pub(crate) struct MysqlDialect;

/// Runs the body of a procedure, which is not in the binlog.
pub(crate) fn run(body: &str) -> String {
    format!(
        "set sql_log_bin = 0; drop procedure if exists bench.run;\nDELIMITER //\n\
         create procedure bench.run() begin {body} end //\nDELIMITER ;\n\
         set sql_log_bin = 1; set autocommit = 0; call bench.run(); commit;"
    )
}

impl Dialect for MysqlDialect {
    fn in_batches(&self, rows: u64, statement: &str) -> String {
        let statement = statement
            .replace("{from}", "(batch * 1000 + 1)")
            .replace("{to}", &format!("least((batch + 1) * 1000, {rows})"));
        let count = rows.div_ceil(BATCH).max(1);
        run(&format!(
            "declare batch bigint default 0;
             while batch < {count} do {statement}; commit; set batch = batch + 1; end while;"
        ))
    }

    /// `bench.numbers` has those from 0 to 9999.
    fn series(&self, from: &str, to: &str) -> String {
        format!(
            "(select a.n * 1000 + b.n as i from bench.numbers a join bench.numbers b on b.n < 1000
              where a.n between {from} div 1000 and {to} div 1000 and a.n * 1000 + b.n between {from} and {to}) numbered"
        )
    }

    fn one_by_one(&self, rows: u64) -> String {
        let loops = run(&format!(
            "declare i bigint default 0;
             while i < {rows} do set i = i + 1; insert into w.t values (i, i); commit; end while;"
        ));
        format!(
            "set global sync_binlog = 0; set global innodb_flush_log_at_trx_commit = 2; {loops}
             set global sync_binlog = 1; set global innodb_flush_log_at_trx_commit = 1;"
        )
    }

    fn document(&self) -> (&'static str, &'static str) {
        let document = "(select json_object('order', i, 'customer', sha2(i, 224), 'tags', json_array('a', 'b', 'c', 'd'), \
            'lines', json_arrayagg(json_object('sku', sha2(i + n, 224), 'count', n, 'price', n * 1.25))) \
            from bench.numbers where n between 1 and 20)";
        ("json", document)
    }

    fn images(&self, rows: u64) -> Vec<Workload> {
        let image = |name, image: &str| {
            let setup = format!(
                "create table w.t (id bigint primary key, n int, name varchar(40), amount decimal(12,2), body mediumtext);
                 insert into w.t select i, 0, concat('name of ', i), i / 100.0, repeat(sha2(i, 224), 36) from {}",
                self.series("1", "1000")
            );
            let base = updates(self, name, setup, rows);
            let set = format!("set session binlog_row_image = '{image}';");
            Workload {
                warm: format!("{set} {}", base.warm),
                write: format!("{set} {}", base.write),
                // It fails when an image lacks a column.
                is_for_peer: image == "FULL",
                ..base
            }
        };
        vec![
            image("updates, image full", "FULL"),
            image("updates, image minimal", "MINIMAL"),
        ]
    }

    fn each_table(&self, tables: u64, statement: &str) -> String {
        let one = |at: u64| format!("{};\n", statement.replace("%s", &at.to_string()));
        (1..=tables).map(one).collect()
    }

    fn fill_each_table(&self, tables: u64, rounds: u64) -> String {
        run(&format!(
            "declare at, round bigint default 0;
             while round < {rounds} do
               set round = round + 1; set at = 0;
               while at < {tables} do
                 set at = at + 1;
                 set @text = concat('insert into w.t', at, ' values (', round, ', ', round, ')');
                 prepare one from @text; execute one;
               end while; commit;
             end while;"
        ))
    }
}
