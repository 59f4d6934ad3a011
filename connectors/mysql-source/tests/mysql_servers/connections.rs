//! Handshake, TLS, authentication, queries.

use connect_core::Verdict;
use mysql_source::{
    config::{Compress, SslMode},
    error,
    wire::{Answer, Connection, Flavor, Look, RowValues, Target, is_end},
};
use stack::{Mysql, Stack};

use super::{VERSIONS, block_on, soon, target};

async fn connected(target: &Target) -> Connection {
    soon(Connection::open(target)).await.unwrap()
}

async fn refused(target: &Target) -> connect_core::Error {
    soon(Connection::open(target)).await.unwrap_err()
}

/// The cipher of a connection; empty without TLS.
async fn cipher(mysql: &Mysql, mode: SslMode) -> String {
    let mut connection = connected(&target(mysql, "cdc", mode)).await;
    let rows = connection.query("SHOW STATUS LIKE 'Ssl_cipher'").await;
    let cipher = rows.unwrap().first().unwrap().text(1).to_owned();
    connection.close().await;
    cipher
}

#[test]
fn every_way_of_tls_is_gone_and_impostors_are_refused() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        block_on(async {
            assert_eq!(cipher(&mysql, SslMode::Disabled).await, "");
            for mode in [
                SslMode::Preferred,
                SslMode::Required,
                SslMode::VerifyCa,
                SslMode::VerifyIdentity,
            ] {
                assert_ne!(cipher(&mysql, mode).await, "", "{mode:?}");
            }
            let stranger = Target {
                ssl_ca: None,
                ..target(&mysql, "cdc", SslMode::VerifyCa)
            };
            let error = refused(&stranger).await;
            assert_eq!(error.code(), &error::TLS, "{error:?}");
        });
    }
}

/// Answers of many pieces and of one, with TLS and without; large ones become few bytes on their way.
#[test]
fn what_is_sent_is_compressed_where_the_server_can() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        for compression in [Compress::Zlib, Compress::Zstd] {
            for mode in [SslMode::Disabled, SslMode::Required] {
                let target = Target {
                    compression,
                    ..target(&mysql, "cdc", mode)
                };
                block_on(async {
                    if compression == Compress::Zstd && version.is_mariadb() {
                        let error = refused(&target).await;
                        assert_eq!(error.code(), &error::COMPRESSION, "{error:?}");
                        return;
                    }
                    let mut connection = connected(&target).await;
                    let long = "SELECT REPEAT('compress me ', 250000), 7";
                    let rows = connection.query(long).await.unwrap();
                    assert_eq!(rows[0].text(0), "compress me ".repeat(250_000));
                    let sent = connection.query("SHOW STATUS LIKE 'Bytes_sent'").await;
                    let sent: u64 = sent.unwrap()[0].number(1).unwrap();
                    assert!(sent < 1_000_000, "{version} {compression:?}: {sent} bytes");
                    let argument = format!("SELECT LENGTH('{}')", "x".repeat(200_000));
                    let rows = connection.query(&argument).await.unwrap();
                    assert_eq!(rows[0].text(0), "200000");
                    connection.close().await;
                });
            }
        }
    }
}

#[test]
fn passwords_are_checked_whatever_the_server_remembers() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql("CREATE USER nobody@'%'; FLUSH PRIVILEGES")
            .unwrap();
        block_on(async {
            // MySQL's cache of passwords is empty: without TLS it is the server's key that hides ours. Then it is not.
            for mode in [SslMode::Disabled, SslMode::Disabled, SslMode::Required] {
                let mut connection = connected(&target(&mysql, "cdc", mode)).await;
                let rows = connection.query("SELECT CURRENT_USER()").await.unwrap();
                assert!(rows[0].text(0).starts_with("cdc@"));
            }
            let mut wrong = target(&mysql, "cdc", SslMode::Disabled);
            wrong.password = Some(connect_core::Secret::new("wrong".to_owned()));
            let error = refused(&wrong).await;
            assert_eq!(error.code(), &error::AUTHENTICATION, "{error:?}");
            assert_eq!(error.verdict(), Verdict::Fail);
            assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
            let mut none = target(&mysql, "nobody", SslMode::Disabled);
            none.password = None;
            connected(&none).await;
        });
    }
}

#[test]
fn every_plugin_lets_us_in() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        let plugins: &[(&str, &str)] = match version.is_mariadb() {
            true => &[
                (
                    "old",
                    "IDENTIFIED VIA mysql_native_password USING PASSWORD('cdc')",
                ),
                ("curve", "IDENTIFIED VIA ed25519 USING PASSWORD('cdc')"),
            ],
            false => &[("sha", "IDENTIFIED WITH sha256_password BY 'cdc'")],
        };
        if version.is_mariadb() {
            mysql.sql("INSTALL SONAME 'auth_ed25519'").unwrap();
        }
        for (user, how) in plugins {
            mysql.sql(&format!("CREATE USER {user}@'%' {how}")).unwrap();
            block_on(async {
                for mode in [SslMode::Disabled, SslMode::Required] {
                    connected(&target(&mysql, user, mode)).await;
                }
            });
        }
    }
}

#[test]
fn queries_answer_with_rows_errors_and_go_on() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        block_on(async {
            let mut connection = connected(&target(&mysql, "cdc", SslMode::Preferred)).await;
            let flavor = match version.is_mariadb() {
                true => Flavor::MariaDb,
                false => Flavor::MySql,
            };
            assert_eq!(connection.server().flavor, flavor);
            let (major, minor, _) = connection.server().version;
            assert_eq!(format!("{major}.{minor}"), version.to_string());
            let rows = connection
                .query("SELECT 1, NULL, 'äöü🦀', ''")
                .await
                .unwrap();
            assert_eq!(
                rows[0],
                [
                    Some("1".into()),
                    None,
                    Some("äöü🦀".into()),
                    Some(String::new())
                ]
            );
            let error = connection.query("SELECT nothing").await.unwrap_err();
            assert_eq!(error.code(), &error::QUERY);
            connection
                .execute("CREATE TABLE inventory.t (id INT)")
                .await
                .unwrap();
            assert!(
                connection
                    .query("SELECT * FROM inventory.t")
                    .await
                    .unwrap()
                    .is_empty()
            );
            // Larger than one packet can be, both ways.
            let large = 17 << 20;
            let sql = format!("SELECT REPEAT('x', {large}), 'y'");
            connection
                .execute("SET SESSION net_write_timeout = 60")
                .await
                .unwrap();
            let allowed = connection
                .query("SELECT @@max_allowed_packet")
                .await
                .unwrap();
            if allowed[0].number::<usize>(0).unwrap() > large {
                let rows = connection.query(&sql).await.unwrap();
                assert_eq!((rows[0].text(0).len(), rows[0].text(1)), (large, "y"));
            }
        });
    }
}

#[test]
fn rows_of_a_query_are_read_where_they_lie() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        block_on(async {
            let mut connection = connected(&target(&mysql, "cdc", SslMode::Preferred)).await;
            let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900) SELECT n, REPEAT('x', n) FROM n";
            assert_eq!(soon(connection.select(sql)).await.unwrap(), 2);
            let packets = connection.packets();
            let (mut at, mut rows) = (0, 0);
            loop {
                let payload = match packets.look_at(at).unwrap() {
                    Look::Whole(payload) => payload,
                    Look::Missing(_) => {
                        packets.skip(at);
                        at = 0;
                        soon(packets.read()).await.unwrap();
                        continue;
                    }
                    Look::Large => panic!("no row is large"),
                };
                at = payload.end;
                let payload = &packets.bytes()[payload];
                if is_end(payload).unwrap() {
                    break;
                }
                rows += 1;
                let mut values = RowValues::new(payload);
                assert_eq!(
                    values.value().unwrap().unwrap(),
                    rows.to_string().as_bytes()
                );
                assert_eq!(values.value().unwrap().unwrap().len(), rows);
                assert!(values.is_empty());
            }
            assert_eq!(rows, 900);
        });
    }
}
