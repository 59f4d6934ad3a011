//! A role without rights, tables without keys, publications of others.

use stack::PgVersion;

use super::{check, mend};
use crate::harness::Database;

const ROWS: &str = "create schema app; create table app.good (id int primary key); create table app.keyless (v int);
    create table app.\"None\" (id int primary key); alter table app.\"None\" replica identity nothing;
    insert into app.good values (1); create table other (v int)";

/// A role of a database, dropped with all that it owns.
struct Role<'a>(&'a Database, String);

impl<'a> Role<'a> {
    fn new(db: &'a Database, kind: &str) -> Self {
        let name = format!("{kind}_{}", db.name);
        db.sql(&format!("create role {name} login password 'cdc'"));
        Self(db, name)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.1;
        self.0
            .sql(&format!("drop owned by {name} cascade; drop role {name}"));
    }
}

/// All that keeps a role from reading comes in one answer; when all of the statements have been run, the source runs.
async fn a_role_without_rights(version: PgVersion) {
    let db = Database::new(version);
    db.sql(ROWS);
    let role = Role::new(&db, "plain");
    let more = [
        ("database.user", &*role.1),
        ("publication.autocreate.mode", "filtered"),
        ("schema.include.list", "app"),
        ("signal.data.collection", "app.signals"),
    ];
    let findings = check(&db, &more).await;
    findings.error("database.user", "no REPLICATION right");
    findings.error("database.user", "may not look into the schema \"app\"");
    findings.error(
        "database.user",
        "may not read app.None, app.good, app.keyless",
    );
    let mode = "publication.autocreate.mode";
    findings.error(mode, "may not create a publication");
    findings.error(
        mode,
        "cannot publish tables that it does not own (app.None, app.good, app.keyless)",
    );
    findings.warning(
        "table.include.list",
        "Without replica identity, since they have no primary key: app.None, app.keyless",
    );
    findings.warning("signal.data.collection", "The table does not exist");
    assert_eq!(
        (findings.errors(), findings.0.len()),
        (5, 7),
        "{findings:#?}"
    );
    mend(&db, &findings);
    let left = check(&db, &more).await;
    left.warning("signal.data.collection", "may not write");
    // It has been made by somebody else, without an owner who could publish it.
    left.error(mode, "does not own (app.signals)");
    assert_eq!(left.0.len(), 2, "{left:#?}");
    mend(&db, &left);
    assert!(check(&db, &more).await.are_none());
    let mut source = db.open(&more, None).await;
    assert_eq!(source.take(1).await[0].op(), "r");
    source.close().await;
    db.sql(&format!(
        "select pg_drop_replication_slot('{}'); drop publication dbz_publication",
        db.name
    ));
}

#[tokio::test]
async fn a_role_without_rights_15() {
    Box::pin(a_role_without_rights(PgVersion::V15)).await;
}

#[tokio::test]
async fn a_role_without_rights_18() {
    Box::pin(a_role_without_rights(PgVersion::V18)).await;
}

/// Without a snapshot no table is read, so that rights are something to know and no more.
#[tokio::test]
async fn streams_need_no_right_on_tables() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key); create publication p for table t");
    let role = Role::new(&db, "plain");
    db.sql(&format!("alter role {} replication", role.1));
    let more = [
        ("database.user", &*role.1),
        ("publication.name", "p"),
        ("publication.autocreate.mode", "disabled"),
        ("snapshot.mode", "no_data"),
    ];
    let findings = check(&db, &more).await;
    findings.warning("database.user", "may not read public.t");
    assert_eq!(findings.0.len(), 1, "{findings:?}");
}

#[tokio::test]
async fn publications_are_compared_with_what_is_captured() {
    let db = Database::new(PgVersion::V18);
    db.sql(ROWS);
    let role = Role::new(&db, "plain");
    db.sql(&format!(
        "alter role {0} replication; grant usage on schema app to {0}; grant select on all tables in schema app to {0};
         create publication parted for table app.good with (publish = 'insert, delete');
         create publication whole for all tables",
        role.1
    ));
    let with = |name, mode| publication(&role, name, mode);
    let name = "publication.name";
    let findings = check(&db, &with("parted", "disabled")).await;
    findings.warning(name, "leaves out update,");
    findings.warning(
        name,
        "app.None, app.keyless captured but not in the publication",
    );
    findings.warning("table.include.list", "Without replica identity");
    assert_eq!(findings.0.len(), 3, "{findings:#?}");
    mend(&db, &findings);
    assert!(check(&db, &with("parted", "disabled")).await.are_none());

    db.sql("alter publication parted drop table app.keyless");
    let findings = check(&db, &with("parted", "filtered")).await;
    findings.error(name, "only its owner can change it");
    findings.error(
        "publication.autocreate.mode",
        "cannot publish tables that it does not own",
    );
    assert_eq!(findings.0.len(), 2, "{findings:#?}");
    mend(&db, &findings);
    assert!(check(&db, &with("parted", "filtered")).await.are_none());

    whole_and_missing_publications(&db, &role).await;
}

/// The properties for a publication of tables in `app`.
fn publication<'a>(role: &'a Role<'_>, name: &'a str, mode: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("publication.name", name),
        ("publication.autocreate.mode", mode),
        ("schema.include.list", "app"),
        ("database.user", &*role.1),
    ]
}

async fn whole_and_missing_publications(db: &Database, role: &Role<'_>) {
    let with = |name, mode| publication(role, name, mode);
    let name = "publication.name";
    check(db, &with("whole", "filtered"))
        .await
        .error(name, "FOR ALL TABLES");
    let findings = check(db, &with("whole", "disabled")).await;
    let others = "tables, too, that are not captured, and the server refuses updates and deletes of these, which have no \
        replica identity: public.other";
    findings.warning("publication.autocreate.mode", others);
    assert_eq!(findings.0.len(), 1, "{findings:#?}");

    let findings = check(db, &with("missing", "disabled")).await;
    findings.error(name, "does not exist");
    mend(db, &findings);
    assert!(check(db, &with("missing", "disabled")).await.are_none());
    let findings = check(db, &with("absent", "all_tables")).await;
    findings.error(
        "publication.autocreate.mode",
        "may not create a publication",
    );
    findings.error(
        "publication.autocreate.mode",
        "Only a superuser can create a publication FOR ALL TABLES",
    );
}

#[tokio::test]
async fn lists_that_match_nothing_are_told() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table good (id int primary key, v int)");
    let more = [
        ("schema.include.list", "public,publc"),
        ("table.include.list", "public.good,public.god"),
        ("column.include.list", "public.good.id,public.good.w"),
        ("snapshot.include.collection.list", "public.bad"),
        ("message.key.columns", "public.good:x"),
    ];
    let findings = check(&db, &more).await;
    findings.warning("schema.include.list", "\"publc\" matches no schema");
    findings.warning("table.include.list", "\"public.god\" matches no table");
    findings.warning(
        "column.include.list",
        "\"public.good.w\" matches no captured column",
    );
    findings.warning(
        "snapshot.include.collection.list",
        "\"public.bad\" matches no captured table",
    );
    findings.warning("message.key.columns", "public.good has no column \"x\"");
    assert_eq!(findings.0.len(), 5, "{findings:?}");

    let nothing = [
        ("table.include.list", "public.none"),
        ("publication.autocreate.mode", "filtered"),
    ];
    let findings = check(&db, &nothing).await;
    findings.error(
        "table.include.list",
        "a filtered publication would be empty",
    );
    findings.warning("table.include.list", "\"public.none\" matches no table");
}
