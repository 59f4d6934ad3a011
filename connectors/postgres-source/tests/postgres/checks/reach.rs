//! Names, passwords, files: what keeps a connector from the server.

use std::fs;

use stack::PgVersion;

use super::{check, mend, statement};
use crate::harness::Database;

#[tokio::test]
async fn who_and_where_are_told_apart() {
    let db = Database::new(PgVersion::V18);
    db.sql("create table t (id int primary key)");
    for (key, value, says) in [
        (
            "database.password",
            "wrong",
            "password authentication failed",
        ),
        (
            "database.dbname",
            "nonsense",
            "database \"nonsense\" does not exist",
        ),
        (
            "database.hostname",
            "nowhere.invalid",
            "the host name is not known",
        ),
    ] {
        let findings = check(&db, &[(key, value)]).await;
        let told = &findings.error(key, says).message;
        assert_eq!(findings.errors(), 1, "{findings:?}");
        assert!(
            key != "database.password" || !told.contains(value),
            "Invariant 7"
        );
    }
    let findings = check(&db, &[("database.port", "1")]).await;
    findings.error("database.hostname", "the server cannot be reached");

    // A database that the user may not connect to, and the statement that mends it.
    let role = format!("guest_{}", db.name);
    db.sql(&format!(
        "create role {role} login replication superuser password 'cdc'; alter role {role} nosuperuser; \
         revoke connect on database {0} from public; grant select on t to {role}; grant create on database {0} to {role}; \
         alter table t owner to {role}; grant all on schema public to {role}",
        db.name
    ));
    let more = [
        ("database.user", &*role),
        ("publication.autocreate.mode", "filtered"),
    ];
    let findings = check(&db, &more).await;
    // The right to create in the database is not one to connect to it.
    let finding = findings.error("database.user", "permission denied for database");
    assert_eq!(
        statement(finding),
        format!("GRANT CONNECT ON DATABASE \"{}\" TO \"{role}\"", db.name)
    );
    mend(&db, &findings);
    assert!(check(&db, &more).await.are_none());
    db.sql(&format!("drop owned by {role} cascade; drop role {role}"));
}

#[tokio::test]
async fn files_are_told_each_and_with_the_password() {
    let db = Database::new(PgVersion::V15);
    let tls = stack::certificates().unwrap();
    let path = |name: &str| tls.join(name).to_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.pem");
    fs::write(&garbage, "-----BEGIN CERTIFICATE-----\n!!!\n").unwrap();
    let garbage = garbage.to_str().unwrap();

    let findings = check(
        &db,
        &[
            ("database.sslmode", "verify-full"),
            ("database.sslrootcert", "/nowhere/ca.pem"),
            ("database.sslcert", garbage),
            ("database.sslkey", "/nowhere/key.pem"),
        ],
    )
    .await;
    findings.error("database.sslrootcert", "/nowhere/ca.pem");
    findings.error("database.sslcert", "garbage.pem");
    findings.error("database.sslkey", "/nowhere/key.pem");
    assert_eq!(
        findings.errors(),
        3,
        "the handshake says no more: {findings:?}"
    );

    // Two files that are good alone.
    let (cert, key, other) = (path("client.pem"), path("client.key"), path("server.key"));
    let with = |key: &str, password: &str| {
        let (cert, key, password) = (cert.clone(), key.to_owned(), password.to_owned());
        [
            ("database.sslcert", cert),
            ("database.sslkey", key),
            ("database.password", password),
        ]
    };
    for (key, password, keys) in [
        (&key, "cdc", &[][..]),
        (&other, "cdc", &["database.sslkey"]),
        (&other, "wrong", &["database.sslkey", "database.password"]),
    ] {
        let given = with(key, password);
        let given = given
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let findings = check(&db, &given).await;
        for key in keys {
            findings.error(key, "");
        }
        assert_eq!(findings.errors(), keys.len(), "{findings:?}");
    }
}

/// What is wrong with the properties alone does not hide what is wrong with the server.
#[tokio::test]
async fn properties_and_server_are_told_together() {
    let db = Database::new(PgVersion::V18);
    db.sql("create table t (v int)");
    let bad = [
        ("table.include.list", "("),
        ("snapshot.fetch.size", "many"),
        ("slot.name", "Slot"),
        ("message.key.columns", "nonsense"),
    ];
    let with = |key: &'static str, value: &'static str| {
        let mut all = bad.to_vec();
        all.push((key, value));
        all
    };
    let findings = check(&db, &with("database.password", "wrong")).await;
    for (key, _) in bad {
        findings.error(key, "Invalid value");
    }
    findings.error("database.password", "password authentication failed");
    assert_eq!(findings.errors(), 5, "{findings:?}");

    // With a server that is not known, nothing is asked; with unknown tables, nothing is said of tables.
    let findings = check(&db, &with("database.port", "many")).await;
    assert_eq!(findings.errors(), 5, "{findings:?}");
    let role = format!("plain_{}", db.name);
    db.sql(&format!("create role {role} login password 'cdc'"));
    let mut given = with("database.initial.statements", "nonsense");
    given.push(("database.user", &role));
    let findings = check(&db, &given).await;
    findings.error("database.user", "no REPLICATION right");
    findings.error("database.initial.statements", "syntax error");
    assert_eq!(
        (findings.errors(), findings.0.len()),
        (6, 6),
        "{findings:?}"
    );
    db.sql(&format!("drop role {role}"));
}
