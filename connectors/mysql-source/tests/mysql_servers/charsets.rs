//! Every character set of the servers is read as they read it themselves.

use mysql_source::charset::Charset;
use stack::{Mysql, MysqlVersion, Stack};

use super::VERSIONS;

/// Texts in which each set finds something of its own.
const TEXT: &str = "aZ~ä€ßÿŁčřĐώשדЖїกญ漢字カナ한글ـعé½█";

/// What of the text a set has, and its bytes in it, in hex.
fn converted(mysql: &Mysql, name: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for c in TEXT.chars() {
        pairs.push(format!(
            "SELECT CONVERT(CONVERT('{c}' USING {name}) USING utf8mb4), HEX(CONVERT('{c}' USING {name}))"
        ));
    }
    let rows = mysql.sql(&pairs.join("; ")).unwrap();
    let pair = |line: &str| {
        line.split_once('\t')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    rows.lines().filter_map(pair).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[test]
fn texts_of_every_set_are_read_as_the_server_reads_them() {
    let stack = Stack::new().unwrap();
    for version in [MysqlVersion::V97, MysqlVersion::Mariadb1011] {
        let mysql = stack.mysql(version).unwrap();
        let sql = "SELECT CHARACTER_SET_NAME FROM information_schema.character_sets WHERE CHARACTER_SET_NAME NOT IN ('binary', 'filename') ORDER BY 1";
        let mut wrong = Vec::new();
        for name in mysql.sql(sql).unwrap().lines() {
            let charset = Charset::named(name).unwrap_or_else(|| panic!("{name} is not known"));
            let pairs = converted(&mysql, name);
            assert!(pairs.len() > 20, "{name}");
            for (text, hex) in pairs {
                let mut out = Vec::new();
                charset.push(&bytes(&hex), &mut out);
                let read = String::from_utf8(out).unwrap();
                // What everybody has in another place is told to be unknown rather than guessed.
                if read != text && !read.contains('\u{fffd}') {
                    wrong.push(format!("{hex} in {name}: {read} and not {text}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn collations_have_the_sets_that_the_servers_tell() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        // MariaDB's newer collations have a number for each character set.
        let sql = match version.is_mariadb() {
            true => {
                "SELECT ID, CHARACTER_SET_NAME FROM information_schema.collation_character_set_applicability"
            }
            false => "SELECT ID, CHARACTER_SET_NAME FROM information_schema.collations",
        };
        let rows = mysql.sql(sql).unwrap();
        let mut count = 0;
        for (id, name) in rows.lines().filter_map(|line| line.split_once('\t')) {
            let found = Charset::of_collation(id.parse().unwrap());
            assert_eq!(
                found,
                Charset::named(name),
                "{id} is of {name} on {version}"
            );
            count += 1;
        }
        assert!(count > 200, "{count}");
    }
}
