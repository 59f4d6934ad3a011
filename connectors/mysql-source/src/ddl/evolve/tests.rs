use super::*;
use crate::catalog::ColumnInfo;

fn table(sql: &str) -> TableInfo {
    created(sql.into(), ("d", "t"), Some("utf8mb4")).unwrap()
}

/// `name type!key=default`, one a column.
fn shape(table: &TableInfo) -> String {
    let shown = |column: &ColumnInfo| {
        let declared = &column.declared;
        let mut text = format!("{} {}", column.name, declared.name);
        let numbers = [declared.length, declared.scale].into_iter().flatten();
        for number in numbers {
            text += &format!(":{number}");
        }
        if declared.unsigned {
            text += " unsigned";
        }
        if column.required {
            text += "!";
        }
        if let Some(default) = &column.default {
            text += &format!("={default}");
        }
        text
    };
    let columns: Vec<String> = table.columns.iter().map(shown).collect();
    format!("{} key({})", columns.join(", "), table.key.join(","))
}

fn after(sql: &str) -> Option<String> {
    let before =
        table("create table t (id int primary key, v varchar(10), w int unsigned default 7)");
    altered(sql.into(), &before).map(|table| shape(&table))
}

const BEFORE: &str = "id int!, v varchar:10, w int unsigned=7 key(id)";

#[test]
fn tables_are_made_of_their_statements() {
    let sql = "CREATE TABLE `t` (
        `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'a, b)',
        `d` decimal(10,2) NOT NULL DEFAULT '1.50', n NUMERIC(5), f double precision,
        `e` enum('a','b''c') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'a',
        at timestamp(6) NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
        g int GENERATED ALWAYS AS (`id` + 1) VIRTUAL, u char(36) default (uuid()), neg int default -5,
        b bit(3) default b'101', flag bool not null default true, r int references other (id) on delete cascade,
        PRIMARY KEY (`id`), UNIQUE KEY `k` (`e`), CONSTRAINT `c` CHECK ((`id` > 0)), FULLTEXT KEY x (`e`)
      ) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=latin2 COMMENT='of all' PARTITION BY HASH (id) PARTITIONS 4";
    let table = table(sql);
    let expected = "id bigint:20 unsigned!, d decimal:10:2!=1.50, n decimal:5, f double, e enum=a, \
        at timestamp:6=CURRENT_TIMESTAMP, g int, u char:36, neg int=-5, b bit:3=b'101', flag tinyint:1!=1, r int key(id)";
    assert_eq!(shape(&table), expected);
    let of = |name: &str| table.columns.iter().find(|c| c.name == name).unwrap();
    assert_eq!(of("e").declared.members, ["a", "b'c"]);
    assert_eq!(of("e").charset_name.as_deref(), Some("latin1"));
    assert_eq!(of("u").charset_name.as_deref(), Some("latin2"));
    assert_eq!(of("id").comment.as_deref(), Some("a, b)"));
    assert!(of("at").touched && of("id").counts && !of("neg").counts);
    assert_eq!(of("flag").written.as_deref(), Some("BOOL"));
    assert_eq!(table.comment.as_deref(), Some("of all"));
}

const CHANGES: &[(&str, &str)] = &[
    (
        "alter table t add column a int",
        "id int!, v varchar:10, w int unsigned=7, a int key(id)",
    ),
    (
        "ALTER TABLE d.t ADD (x varchar(5), y decimal(5,2) default 1.25), add z int first, add q int not null after id",
        "z int, id int!, q int!, v varchar:10, w int unsigned=7, x varchar:5, y decimal:5:2=1.25 key(id)",
    ),
    ("alter table t drop v, drop column w", "id int! key(id)"),
    (
        "alter table t modify v text not null first",
        "v text!, id int!, w int unsigned=7 key(id)",
    ),
    (
        "alter table t change column id `key` bigint after v",
        "v varchar:10, key bigint!, w int unsigned=7 key(key)",
    ),
    (
        "alter table t rename column v to x",
        "id int!, x varchar:10, w int unsigned=7 key(id)",
    ),
    (
        "alter table t alter column w drop default",
        "id int!, v varchar:10, w int unsigned key(id)",
    ),
    (
        "alter table t alter v set default 'it''s'",
        "id int!, v varchar:10=it's, w int unsigned=7 key(id)",
    ),
    (
        "alter table t drop primary key, add primary key (W)",
        "id int!, v varchar:10, w int unsigned!=7 key(w)",
    ),
    (
        "alter table t rename column v to w, rename column w to v",
        "id int!, w varchar:10, v int unsigned=7 key(id)",
    ),
    (
        "alter table t change id v int, change v id varchar(10) first",
        "id varchar:10, v int!, w int unsigned=7 key(v)",
    ),
    (
        "alter table t add index i (v), add unique key (w), drop index j, engine = innodb",
        BEFORE,
    ),
    (
        "alter table t comment = 'add column x int', algorithm = instant, lock=none",
        BEFORE,
    ),
    ("create index i on t (v)", BEFORE),
    ("alter table t add column if not exists v int", BEFORE),
    ("alter table t drop column if exists nothing", BEFORE),
    (
        "alter table t rename to u, add constraint c check (v > 0)",
        BEFORE,
    ),
    ("alter table t partition by key (id) partitions 2", BEFORE),
];

#[test]
fn columns_come_go_and_change() {
    for (sql, expected) in CHANGES {
        assert_eq!(after(sql).as_deref(), Some(*expected), "{sql}");
    }
}

#[test]
fn a_backslash_escapes_unless_the_session_says_that_it_does_not() {
    let default = |escapes| {
        let text = r"create table t (v varchar(20) default 'a\nb')";
        let table = created(Sql { text, escapes }, ("d", "t"), None).unwrap();
        let column = &table.columns[0];
        (
            column.default.clone().unwrap(),
            column.expression.clone().unwrap(),
        )
    };
    assert_eq!(default(true), ("a\nb".to_owned(), r"a\nb".to_owned()));
    assert_eq!(default(false), (r"a\nb".to_owned(), r"a\nb".to_owned()));
}

#[test]
fn what_is_not_certain_is_asked_for() {
    for sql in [
        "alter table t add column v int",
        "alter table t drop nothing",
        "alter table t add a mystery(3)",
        "alter table t add a int something new",
        "alter table t convert to character set binary",
        "alter table t modify nothing int",
        "alter table t add",
        "alter table t add a int after nothing",
    ] {
        assert_eq!(after(sql), None, "{sql}");
    }
    let create = |sql: &str| created(sql.into(), ("d", "t"), None);
    assert_eq!(create("create table t as select 1"), None);
    assert_eq!(create("create table t (id int) select 1 as one"), None);
    assert_eq!(create("create table t (id int"), None);
}

#[test]
fn character_sets_are_those_of_the_column_else_of_the_table() {
    let before = table("create table t (a text, b varchar(3) charset latin1, c blob) charset utf8");
    let names = |table: &TableInfo| {
        let names = table
            .columns
            .iter()
            .map(|column| column.charset_name.clone());
        names
            .map(Option::unwrap_or_default)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&before), "utf8 latin1 ");
    let converted = altered(
        "alter table t convert to character set ucs2".into(),
        &before,
    )
    .unwrap();
    assert_eq!(names(&converted), "ucs2 ucs2 ");
    let usual = altered(
        "alter table t default charset = cp850, add d char(3)".into(),
        &before,
    )
    .unwrap();
    assert_eq!(names(&usual), "utf8 latin1  cp850");
}
