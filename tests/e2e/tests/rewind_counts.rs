//! How many rows a rewind of MySQL and MariaDB brings again.

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::mysql_source,
    mysql::{wait_stored, wait_streaming},
    scene::SOURCE,
};
use serde_json::json;
use stack::{MysqlOptions, MysqlVersion, Stack};

/// Rows however the server has written them: compressed, in one event, with differences of documents, without a byte, of tables that nobody captures.
fn mysql_counts_rows(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let options = match version.is_mariadb() {
        true => MysqlOptions::new(version)
            .set("log_bin_compress", "ON")
            .set("log_bin_compress_min_len", "10"),
        false => MysqlOptions::new(version)
            .set("binlog_transaction_compression", "ON")
            .set("binlog_row_value_options", "PARTIAL_JSON")
            .set("binlog_row_image", "MINIMAL"),
    };
    let mysql = stack.mysql_with(options)?;
    mysql.sql(
        "create table t (id int primary key, v varchar(2000), n decimal(20, 5), j json, b bit(3), d datetime(3));
         create table d (v int default 1);
         create table other (id int primary key)",
    )?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    let rest = worker.rest();
    let config = mysql_source(&mysql, SOURCE, "inventory.t,inventory.d", "127.0.0.1:1");
    rest.create(SOURCE, &config)?;
    wait_streaming(&worker)?;
    let (file, pos) = mysql.binlog_end()?;
    mysql.sql(
        "insert into t select seq, repeat('x', 1000), seq / 7, '{\"a\": 1, \"b\": \"long enough to be worth a difference\"}', 5, now(3) from
           (with recursive s (seq) as (select 1 union all select seq + 1 from s where seq < 500) select seq from s) s;
         update t set j = json_set(j, '$.a', id), v = null where id <= 100;
         start transaction; insert into other values (1), (2), (3); delete from t where id > 450; insert into other values (4); commit;
         insert into d values ();
         insert into t (id) values (1000)",
    )?;
    wait_stored(&worker, &mysql)?;
    rest.stop(SOURCE)?;
    let to = json!({"to": {"file": file, "pos": pos}, "dryRun": true});
    let told = rest.send("POST", "/connectors/faults/offsets/rewind", &to)?;
    assert_eq!(
        (&told["transactions"], &told["records"]),
        (&json!(5), &json!(500 + 100 + 50 + 1 + 1)),
        "{told}"
    );
    Ok(())
}

#[test]
fn mysql_counts_rows_97() -> Outcome {
    mysql_counts_rows(MysqlVersion::V97)
}

#[test]
fn mariadb_counts_rows_118() -> Outcome {
    mysql_counts_rows(MysqlVersion::Mariadb118)
}
