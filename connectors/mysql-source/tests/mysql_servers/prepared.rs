//! A task that is prepared while another one streams: it takes nothing from it, and needs nothing of what was prepared.

use connect_core::SourceTask;
use stack::{Mysql, Stack};

use super::{
    VERSIONS, block_on, soon,
    tasks::{Source, open, open_task, task},
};

const STREAMS: [(&str, &str); 1] = [("snapshot.mode", "no_data")];

/// The server's numbers of the connections that have this user, ascending.
fn connections(mysql: &Mysql) -> Vec<u64> {
    let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'cdc' ORDER BY ID";
    let told = mysql.sql(sql).unwrap();
    told.lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}

/// Waits until a condition of the server holds.
async fn until(done: impl Fn() -> bool) {
    soon(async {
        while !done() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn last(source: &mut Source, row: &str) -> usize {
    source.until(row).await.len()
}

#[test]
fn what_was_prepared_streams_where_the_other_stopped() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))")
            .unwrap();
        let insert = |id: u32| {
            mysql
                .sql(&format!("INSERT INTO t VALUES ({id}, 'x')"))
                .unwrap()
        };
        block_on(async {
            let mut source = open(&mysql, version, &STREAMS, None).await;
            insert(0);
            last(&mut source, "c 0 x").await;
            for (round, dies) in [(1, false), (2, true)] {
                let before = connections(&mysql);
                let mut next = task(&mysql, version, &STREAMS);
                soon(next.prepare()).await;
                let made: Vec<u64> = connections(&mysql)
                    .into_iter()
                    .filter(|one| !before.contains(one))
                    .collect();
                // One for questions and one for the binlog; the other source may have opened one for its own questions meanwhile.
                assert!(made.len() >= 2, "{version}: {made:?}");
                if dies {
                    for one in &made {
                        // One that has ended by itself is no error.
                        drop(mysql.sql(&format!("KILL {one}")));
                    }
                    until(|| !connections(&mysql).iter().any(|one| made.contains(one))).await;
                }
                // It streams on, although its replica's number is the same.
                insert(round * 10);
                assert_eq!(last(&mut source, &format!("c {round}0 x")).await, 1);
                let stored: Vec<_> = source
                    .position
                    .iter()
                    .cloned()
                    .chain(source.others.values().cloned())
                    .collect();
                source.close().await;
                insert(round * 10 + 1);
                source = open_task(next, stored).await;
                assert_eq!(
                    last(&mut source, &format!("c {round}1 x")).await,
                    1,
                    "{version}"
                );
                let used = connections(&mysql).iter().any(|one| made.contains(one));
                assert_eq!(used, !dies, "{version}");
            }
            source.close().await;
        });
        mysql.sql("DROP TABLE t").unwrap();
    }
}
