//! MySQL and MariaDB start, are killed, come back with their rows, and show their binlog to who replicates.

use std::time::Duration;

use stack::{Mysql, MysqlOptions, MysqlVersion, Result, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn keeps_rows(version: MysqlVersion) -> Result<()> {
    let stack = Stack::new()?;
    let mysql = stack.mysql_with(MysqlOptions::new(version))?;
    let told = mysql.sql("SELECT VERSION()")?;
    assert!(told.starts_with(&version.to_string()), "{told}");
    mysql.sql_as(
        "cdc",
        "cdc",
        stack::DATABASE,
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, 'äöü🦀')",
    )?;
    let (port, before) = (mysql.port(), mysql.process().expect("it runs"));
    mysql.kill9()?;
    assert!(!before.is_alive());
    mysql.start()?;
    assert_eq!(mysql.port(), port);
    assert_eq!(mysql.sql("SELECT * FROM t")?, "1\täöü🦀\n");
    mysql.restart()?;
    assert_eq!(mysql.sql("SELECT COUNT(*) FROM t")?, "1\n");
    let last = mysql.process().expect("it runs");
    drop((stack, mysql));
    assert!(!last.is_alive());
    Ok(())
}

#[test]
fn mysql_keeps_its_rows() -> Result<()> {
    keeps_rows(MysqlVersion::V97)
}

#[test]
fn mysql_8_keeps_its_rows() -> Result<()> {
    keeps_rows(MysqlVersion::V80)
}

#[test]
fn mariadb_10_keeps_its_rows() -> Result<()> {
    keeps_rows(MysqlVersion::Mariadb1011)
}

#[test]
fn mariadb_11_keeps_its_rows() -> Result<()> {
    keeps_rows(MysqlVersion::Mariadb118)
}

/// What `mysqlbinlog` reads of the first file as the user `cdc`.
fn read_binlog(mysql: &Mysql) -> Result<String> {
    let first = &mysql.binlogs()?[0];
    let decoded = ["-R", "--base64-output=DECODE-ROWS", "-vv", first];
    let mut client = mysql.command("mysqlbinlog", "cdc", "cdc");
    let read = client.args(decoded).output()?;
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    Ok(String::from_utf8_lossy(&read.stdout).into_owned())
}

/// Several servers at once; a setting counts; a client sees the rows in the binlog.
#[test]
fn binlogs_are_read_over_the_network() -> Result<()> {
    let stack = Stack::new()?;
    for version in MysqlVersion::ALL {
        let options = MysqlOptions::new(version).set("binlog_row_metadata", "MINIMAL");
        let mysql = stack.mysql_with(options)?;
        assert_eq!(mysql.sql("SELECT @@binlog_row_metadata")?, "MINIMAL\n");
        mysql.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (4711)")?;
        let (file, end) = mysql.binlog_end()?;
        assert!(end > 300, "{end}");
        assert!(mysql.binlog_folder().join(file).is_file());
        let read = read_binlog(&mysql)?;
        assert!(read.contains("### INSERT INTO `inventory`.`t`"), "{read}");
        assert!(read.contains("@1=4711"), "{read}");
    }
    Ok(())
}

fn verifies(version: MysqlVersion, strict: &str) -> Result<()> {
    let stack = Stack::new()?;
    let mysql = stack.mysql(version)?;
    let ca = format!("--ssl-ca={}", mysql.ca_path()?.display());
    let told = mysql.run(
        "mysql",
        &[&ca, strict, "-e", "SHOW STATUS LIKE 'Ssl_version'"],
    )?;
    assert!(told.contains("TLSv1"), "{told}");
    Ok(())
}

#[test]
fn mysql_offers_tls() -> Result<()> {
    verifies(MysqlVersion::V97, "--ssl-mode=VERIFY_IDENTITY")
}

#[test]
fn mariadb_offers_tls() -> Result<()> {
    verifies(MysqlVersion::Mariadb118, "--ssl-verify-server-cert")
}

fn fails_over(version: MysqlVersion) -> Result<()> {
    let stack = Stack::new()?;
    let first = stack.mysql_with(MysqlOptions::new(version))?;
    first.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)")?;
    let second = first.replica(&stack)?;
    first.sql("INSERT INTO t VALUES (2)")?;
    let wanted = first.gtids()?;
    assert!(!wanted.is_empty());
    wait_until("the replica to follow", LIMIT, || {
        Ok(second.gtids()? == wanted)
    })?;
    first.kill9()?;
    second.promote()?;
    second.sql("INSERT INTO t VALUES (3)")?;
    assert_eq!(second.sql("SELECT * FROM t")?, "1\n2\n3\n");
    assert_ne!(second.gtids()?, wanted);
    Ok(())
}

#[test]
fn a_replica_of_mysql_takes_over() -> Result<()> {
    fails_over(MysqlVersion::V97)
}

#[test]
fn a_replica_of_mariadb_takes_over() -> Result<()> {
    fails_over(MysqlVersion::Mariadb1011)
}
