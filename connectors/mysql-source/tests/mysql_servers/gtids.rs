//! Sets of GTIDs mean to the servers what they mean to us.

use mysql_source::{
    binlog::{Event, Gtid},
    gtid::{GtidSet, MariaDbGtids},
    wire::DumpPlace,
};
use stack::{Mysql, MysqlVersion, Stack};

use super::{
    block_on,
    dumps::{dump, each},
};

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

fn set(text: &str) -> GtidSet {
    text.parse().unwrap()
}

fn asked(mysql: &Mysql, expression: &str) -> String {
    let answer = mysql.sql(&format!("SELECT {expression}")).unwrap();
    answer.replace("\\n", "").trim().to_owned()
}

#[test]
fn the_server_reckons_as_we_do() {
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(MysqlVersion::V97).unwrap();
    let sets = [
        String::new(),
        format!("{A}:1-10"),
        format!("{A}:1-3:5:8-10:20"),
        format!("{A}:5:shop:1-4:6,{B}:1-9"),
        format!("{A}:shop:2-3:shop_2:1,{B}:a:1:7-9"),
        format!("{B}:9:3-5:4-7,{A}:2"),
    ];
    for one in &sets {
        for other in &sets {
            let left = set(one).without(&set(other)).to_string();
            assert_eq!(
                left,
                asked(&mysql, &format!("GTID_SUBTRACT('{one}', '{other}')"))
            );
            let within = set(one).is_within(&set(other));
            let told = asked(&mysql, &format!("GTID_SUBSET('{one}', '{other}')"));
            assert_eq!(within, told == "1", "{one} in {other}");
        }
    }
}

/// The ids of the next transactions up to the table `done`.
fn ids(mysql: &Mysql, place: DumpPlace<'_>) -> Vec<Gtid> {
    let mut ids = Vec::new();
    block_on(async {
        let mut dumped = dump(mysql, place).await;
        each(&mut dumped, |event| {
            if let Event::Gtid(gtid) = event {
                ids.extend(gtid.id);
            }
            matches!(event, Event::Query(query) if query.sql == b"CREATE TABLE done (id INT)")
        })
        .await;
    });
    ids
}

#[test]
fn a_dump_goes_on_behind_what_a_set_has() {
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(MysqlVersion::V97).unwrap();
    mysql
        .sql(
            "CREATE TABLE t (id INT PRIMARY KEY);
             SET gtid_next = 'AUTOMATIC:shop'; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); INSERT INTO t VALUES (3);
             SET gtid_next = 'AUTOMATIC'; INSERT INTO t VALUES (4); INSERT INTO t VALUES (5);
             CREATE TABLE done (id INT)",
        )
        .unwrap();
    let first = mysql.binlogs().unwrap().remove(0);
    let all = ids(&mysql, DumpPlace::File(&first, 4));
    let executed = set(&asked(&mysql, "@@global.gtid_executed"));
    let mut seen = GtidSet::default();
    all.iter().for_each(|id| seen.add(id));
    assert!(
        seen.is_within(&executed) && all.len() == 7,
        "{seen} in {executed}"
    );
    // Untagged and tagged ones, in the order of commits: from each place on.
    for behind in 0..all.len() - 1 {
        let purged = set(&asked(&mysql, "@@global.gtid_purged"));
        let mut known = executed.without(&seen).with(&purged);
        all.iter().take(behind).for_each(|id| known.add(id));
        let rest = ids(&mysql, DumpPlace::Gtids(&known.encoded()));
        assert_eq!(rest, all[behind..], "behind {known}");
    }
}

#[test]
fn positions_of_mariadb_are_its_own() {
    let stack = Stack::new().unwrap();
    for version in [MysqlVersion::Mariadb1011, MysqlVersion::Mariadb118] {
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql("CREATE TABLE t (id INT); SET gtid_domain_id = 7; INSERT INTO t VALUES (1); SET gtid_domain_id = 0; CREATE TABLE done (id INT)")
            .unwrap();
        let first = mysql.binlogs().unwrap().remove(0);
        let mut position = MariaDbGtids::default();
        for id in ids(&mysql, DumpPlace::File(&first, 4)) {
            if let Gtid::MariaDb(id) = id {
                position.add(id);
            }
        }
        let told: MariaDbGtids = asked(&mysql, "@@gtid_binlog_pos").parse().unwrap();
        assert_eq!(position, told);
        assert!(position.to_string().contains(",7-"), "{position}");
    }
}
