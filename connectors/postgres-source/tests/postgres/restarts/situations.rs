//! The situations within the stream.

use stack::PgVersion;

use super::{ROWS, Situation, restarted};

/// Makes two tests of each situation, one on each server.
macro_rules! situations {
    ($($name:ident)+) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn on_15() {
                Box::pin(restarted(PgVersion::V15, super::$name())).await;
            }

            #[tokio::test]
            async fn on_18() {
                Box::pin(restarted(PgVersion::V18, super::$name())).await;
            }
        })+
    };
}

situations! {
    begin_change_and_commit
    between_the_changes_of_a_transaction
    without_transaction_metadata
    an_empty_transaction
    transactions_of_other_tables
    rows_that_share_an_lsn
    a_commit_in_another_order_than_begun
    a_transaction_that_stays_open_over_a_stop
    keepalives_that_move_the_slot
    heartbeats
    a_truncate
    messages_in_a_transaction
    messages_between_transactions
    subtransactions
    transactions_that_are_rolled_back
    prepared_transactions
    a_table_that_changes_its_columns
    rows_with_old_values
    changes_that_are_left_out
    several_tables_in_a_transaction
}

fn begin_change_and_commit() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a'); insert into t values (2, 'b'); update t set v = 'c'",
        ],
        records: "c1 c2 u1 u2",
        ends_at: &["\"transaction_id\""],
        ..Situation::default()
    }
}

/// A change of a key is three records of one place, which no stop divides.
fn between_the_changes_of_a_transaction() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "begin; insert into t values (1, 'a'), (2, 'b'), (3, 'c'); update t set v = 'd' where id = 1; delete from t where id = 2;
             update t set id = 4 where id = 3; insert into t values (5, 'e'); commit; insert into t values (6, 'f')",
        ],
        records: "c1 c2 c3 u1 d2 -2 d3 -3 c4 c5 c6",
        ends_at: &["\"messageType\":\"INSERT\"", "\"messageType\":\"UPDATE\"", "\"messageType\":\"DELETE\""],
        ..Situation::default()
    }
}

fn without_transaction_metadata() -> Situation {
    Situation {
        more: &[("provide.transaction.metadata", "false")],
        ..between_the_changes_of_a_transaction()
    }
}

fn an_empty_transaction() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a'); begin; create table x (id int); drop table x; commit; insert into t values (2, 'b')",
            "begin; select txid_current(); commit; create table y (id int); insert into t values (3, 'c')",
        ],
        records: "c1 c2 c3",
        ..Situation::default()
    }
}

/// They are published, so that the server sends them, and nothing of them is captured.
fn transactions_of_other_tables() -> Situation {
    Situation {
        more: &[("table.include.list", "public.t,public.marker")],
        setup: "create table t (id int primary key, v text); create table other (id int primary key);",
        steps: &[
            "insert into other values (1); insert into t values (1, 'a'); insert into other values (2); insert into other values (3);
             begin; insert into other values (4); insert into t values (2, 'b'); insert into other values (5);
             insert into t values (3, 'c'); insert into other values (6); commit; insert into other values (7)",
            "insert into other values (8); insert into t values (4, 'd'); insert into other values (9)",
        ],
        records: "c1 c2 c3 c4",
        ..Situation::default()
    }
}

/// The rows of a COPY lie in few records of the server's log.
fn rows_that_share_an_lsn() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "begin; insert into t values (1, 'a'); copy t (id) from stdin;\n101\n102\n103\n104\n\\.\ninsert into t values (2, 'b'); commit;
             copy t (id) from stdin;\n201\n202\n\\.\nbegin; copy t (id) from stdin;\n301\n302\n\\.\ncopy t (id) from stdin;\n303\n304\n\\.\ncommit",
        ],
        records: "c1 c101 c102 c103 c104 c2 c201 c202 c301 c302 c303 c304",
        ends_at: &["\"lsn_events_processed\":4", "\"lsn_events_processed\":2"],
        ..Situation::default()
    }
}

fn a_commit_in_another_order_than_begun() -> Situation {
    Situation {
        setup: "create table t (id int primary key, v text); create extension dblink;",
        steps: &[
            "select dblink_connect('a', '${address}'), dblink_connect('b', '${address}');
             select dblink_exec('a', 'begin'), dblink_exec('b', 'begin');
             select dblink_exec('a', 'insert into t values (1, ''a''), (2, ''a'')');
             select dblink_exec('b', 'insert into t values (3, ''b'')');
             insert into t values (4, 'c');
             select dblink_exec('a', 'insert into t values (5, ''a'')');
             select dblink_exec('b', 'insert into t values (6, ''b'')');
             select dblink_exec('b', 'commit'); select dblink_exec('a', 'insert into t values (7, ''a'')');
             insert into t values (8, 'c'); select dblink_exec('a', 'commit')",
        ],
        records: "c4 c3 c6 c8 c1 c2 c5 c7",
        ..Situation::default()
    }
}

fn a_transaction_that_stays_open_over_a_stop() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a'); begin; insert into t values (2, 'b'), (3, 'c'); prepare transaction 'stays_open';
             insert into t values (4, 'd')",
            "insert into t values (5, 'e'); commit prepared 'stays_open'; insert into t values (6, 'f')",
        ],
        records: "c1 c4 c5 c2 c3 c6",
        quiet: true,
        ..Situation::default()
    }
}

fn keepalives_that_move_the_slot() -> Situation {
    Situation {
        more: &[
            ("table.include.list", "public.t,public.marker"),
            ("publication.autocreate.mode", "filtered"),
        ],
        setup: "create table t (id int primary key, v text); create table other (id int);",
        steps: &[
            "insert into t values (1, 'a'); insert into other select generate_series(1, 2000)",
            "insert into t values (2, 'b'); insert into other select generate_series(1, 2000)",
        ],
        records: "c1 c2",
        quiet: true,
        ends_at: &["\"lsn_last_commit\":"],
        ..Situation::default()
    }
}

fn heartbeats() -> Situation {
    Situation {
        more: &[
            ("heartbeat.interval.ms", "50"),
            ("table.include.list", "public.t,public.marker"),
        ],
        setup: "create table t (id int primary key, v text); create table other (id int);",
        steps: &[
            "insert into t values (1, 'a'); insert into other select generate_series(1, 20); insert into t values (2, 'b')",
            "begin; insert into t values (3, 'c'); insert into t values (4, 'd'); commit",
        ],
        records: "c1 c2 c3 c4",
        heartbeats: true,
        ..Situation::default()
    }
}

/// Records of one TRUNCATE share their place.
fn a_truncate() -> Situation {
    Situation {
        setup: "create table t (id int primary key, v text); create table u (id int primary key);",
        steps: &[
            "insert into t values (1, 'a'); truncate t; insert into t values (1, 'b'); begin; insert into u values (1);
             truncate t, u; insert into u values (2); commit",
        ],
        records: "c1 t c1 u.c1 t u.t u.c2",
        ends_at: &["\"messageType\":\"TRUNCATE\""],
        ..Situation::default()
    }
}

fn messages_in_a_transaction() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "begin; select pg_logical_emit_message(true, 'p', 'one'); insert into t values (1, 'a');
             select pg_logical_emit_message(true, 'p', 'two'); commit;
             select pg_logical_emit_message(true, 'p', 'three'); insert into t values (2, 'b')",
        ],
        records: "mone c1 mtwo mthree c2",
        ends_at: &["\"messageType\":\"MESSAGE\""],
        ..Situation::default()
    }
}

/// They come at once, before the transactions that are open.
fn messages_between_transactions() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "select pg_logical_emit_message(false, 'p', 'one'); select pg_logical_emit_message(false, 'p', 'two');
             insert into t values (1, 'a'); select pg_logical_emit_message(false, 'p', 'three');
             begin; insert into t values (2, 'b'); select pg_logical_emit_message(false, 'p', 'four'); insert into t values (3, 'c');
             select pg_logical_emit_message(false, 'p', 'five'); commit",
            "select pg_logical_emit_message(false, 'p', 'six'); insert into t values (4, 'd')",
        ],
        records: "mone mtwo c1 mthree mfour mfive c2 c3 msix c4",
        ends_at: &["\"messageType\":\"MESSAGE\""],
        ..Situation::default()
    }
}

fn subtransactions() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "begin; insert into t values (1, 'a'); savepoint one; insert into t values (2, 'b'); release one; savepoint two;
             insert into t values (3, 'c'); rollback to two; insert into t values (4, 'd'); savepoint three;
             update t set v = 'e' where id = 1; commit",
        ],
        records: "c1 c2 c4 u1",
        ..Situation::default()
    }
}

fn transactions_that_are_rolled_back() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a'); begin; insert into t values (2, 'b'); rollback; insert into t values (3, 'c');
             begin; delete from t; truncate t; rollback",
            "begin; insert into t values (4, 'd'); rollback; insert into t values (5, 'e')",
        ],
        records: "c1 c3 c5",
        ..Situation::default()
    }
}

fn prepared_transactions() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a'); begin; insert into t values (2, 'b'); prepare transaction 'first';
             begin; insert into t values (3, 'c'); prepare transaction 'second'; insert into t values (4, 'd')",
            "begin; insert into t values (5, 'e'); commit; commit prepared 'second'",
            "rollback prepared 'first'; insert into t values (6, 'f')",
        ],
        records: "c1 c4 c5 c3 c6",
        ..Situation::default()
    }
}

fn a_table_that_changes_its_columns() -> Situation {
    Situation {
        setup: ROWS,
        steps: &[
            "insert into t values (1, 'a')",
            "alter table t add w int; insert into t values (2, 'b', 3); update t set w = 4 where id = 1",
            "alter table t rename w to x; alter table t drop v; insert into t values (3, 5)",
        ],
        records: "c1 c2 u1 c3",
        ..Situation::default()
    }
}

fn rows_with_old_values() -> Situation {
    Situation {
        setup: "create table t (id int primary key, v text); alter table t replica identity full;
            alter table t alter v set storage external;",
        steps: &[
            "begin; insert into t values (1, repeat('x', 3000)), (2, 'b'); update t set id = id + 10; delete from t where id = 12; commit;
             update t set id = 1",
        ],
        records: "c1 c2 d1 -1 c11 d2 -2 c12 d12 -12 d11 -11 c1",
        ..Situation::default()
    }
}

/// The last changes of a transaction, and whole transactions, are left out.
fn changes_that_are_left_out() -> Situation {
    Situation {
        more: &[("skipped.operations", "u,t")],
        setup: ROWS,
        steps: &[
            "begin; insert into t values (1, 'a'); update t set v = 'b'; insert into t values (2, 'c'); update t set v = 'd'; commit;
             update t set v = 'e'; truncate t; insert into t values (3, 'f')",
            "insert into t values (4, 'g'); update t set v = 'h'",
        ],
        records: "c1 c2 c3 c4",
        ..Situation::default()
    }
}

fn several_tables_in_a_transaction() -> Situation {
    Situation {
        setup: "create table t (id int primary key, v text); create table u (id int primary key, v text);",
        steps: &[
            "begin; insert into t values (1, 'a'); insert into u values (1, 'a'); insert into t values (2, 'b'); delete from u;
             insert into u values (2, 'c'); commit; begin; insert into u values (3, 'd'); insert into t values (3, 'd'); commit",
        ],
        records: "c1 u.c1 c2 u.d1 u.-1 u.c2 u.c3 c3",
        ends_at: &["transaction_data_collection_order"],
        ..Situation::default()
    }
}
