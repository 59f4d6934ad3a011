//! What a look at a server finds before anything runs.

use connect_core::{Config, Finding, SourceConnector};
use mysql_source::{MariaDbSource, MySqlConfig, MySqlSource};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{VERSIONS, block_on, soon, tasks::properties};

fn found(mysql: &Mysql, version: MysqlVersion, more: &[(&str, &str)]) -> Vec<Finding> {
    let config = MySqlConfig::parse(&properties(mysql, more)).unwrap();
    block_on(async {
        match version.is_mariadb() {
            true => soon(MariaDbSource::check(&config)).await,
            false => soon(MySqlSource::check(&config)).await,
        }
    })
}

/// Whether a finding about a property says so.
fn tells(findings: &[Finding], key: &str, is_error: bool, part: &str) -> bool {
    let is = |finding: &&Finding| {
        finding.key == key && finding.is_error() == is_error && finding.message.contains(part)
    };
    findings.iter().find(is).is_some()
}

#[test]
fn nothing_is_wrong_with_a_server_that_is_right() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql_with(MysqlOptions::new(version)).unwrap();
        mysql.sql("CREATE TABLE t (id INT PRIMARY KEY)").unwrap();
        assert_eq!(found(&mysql, version, &[]), [], "{version}");
    }
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let options = MysqlOptions::new(version)
            .set("binlog_row_image", "MINIMAL")
            .set("binlog_expire_logs_seconds", "3600");
        let mysql = stack.mysql_with(options).unwrap();
        let sql = "CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE keyless (v INT);
            CREATE TABLE old (id INT PRIMARY KEY) ENGINE = MyISAM; CREATE TABLE secret (id INT PRIMARY KEY, v INT);
            CREATE USER poor@'%' IDENTIFIED BY 'poor'; GRANT SELECT ON inventory.t TO poor@'%';
            GRANT SELECT ON inventory.keyless TO poor@'%'; GRANT SELECT ON inventory.old TO poor@'%';
            GRANT INSERT ON inventory.secret TO poor@'%';
            SET GLOBAL binlog_format = 'MIXED'";
        mysql.sql(sql).unwrap();
        let findings = found(
            &mysql,
            version,
            &[
                ("database.user", "poor"),
                ("database.password", "poor"),
                ("message.key.columns", "inventory.t:nothing"),
            ],
        );
        for (key, is_error, part) in [
            (
                "database.hostname",
                true,
                "SET GLOBAL binlog_format = 'ROW'",
            ),
            ("database.hostname", false, "binlog_row_image=MINIMAL"),
            ("database.hostname", false, "3600 s"),
            (
                "database.user",
                true,
                "GRANT REPLICATION SLAVE ON *.* TO 'poor'@'%'",
            ),
            ("database.user", true, "ask where the binlog ends"),
            ("database.user", false, "GRANT RELOAD ON *.* TO 'poor'@'%'"),
            ("database.user", true, "may not read inventory.secret"),
            ("message.key.columns", false, "inventory.keyless"),
            ("message.key.columns", true, "inventory.t.nothing"),
            ("table.include.list", false, "inventory.old"),
        ] {
            let is_told = tells(&findings, key, is_error, part);
            assert!(is_told, "{version}: {key}: {part}: {findings:#?}");
        }
        assert_eq!(findings.len(), 10, "{version}: {findings:#?}");
    }
}

#[test]
fn numbers_families_and_passwords_are_looked_at() {
    let stack = Stack::new().unwrap();
    let version = MysqlVersion::V97;
    let mysql = stack.mysql_with(MysqlOptions::new(version)).unwrap();
    let number = mysql.sql("SELECT @@GLOBAL.server_id").unwrap();
    let findings = found(&mysql, version, &[("database.server.id", number.trim())]);
    assert!(
        tells(&findings, "database.server.id", true, "server itself"),
        "{findings:#?}"
    );
    assert!(
        tells(&findings, "table.include.list", false, "No table"),
        "{findings:#?}"
    );
    let findings = found(&mysql, version, &[("database.password", "wrong")]);
    assert!(
        tells(&findings, "database.user", true, "Access denied"),
        "{findings:#?}"
    );
    let config = MySqlConfig::parse(&properties(&mysql, &[])).unwrap();
    let findings = block_on(soon(MariaDbSource::check(&config)));
    assert!(
        tells(&findings, "connector.class", true, "other family"),
        "{findings:#?}"
    );
}
