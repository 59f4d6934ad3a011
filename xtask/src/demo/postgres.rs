//! PostgreSQL.

mod phrases;
mod shape;
mod truth;

#[cfg(test)]
pub(super) use truth::row;

use std::process::Command;

use serde_json::{Value, json};
use stack::{DATABASE, PASSWORD, PgVersion, Postgres, Server, Stack, USER};

use super::{
    Result,
    database::{Database, Phrases, refuse},
    inventory::{Inventory, TABLES},
    session::{END, Session},
    truth::Truth,
};

const SQL: &str = include_str!("postgres/inventory.sql");
/// The replication slot and the publication.
const SLOT: &str = "demo";

/// A PostgreSQL server.
pub(super) struct PostgresDatabase(Postgres);

impl PostgresDatabase {
    pub(super) fn start(stack: &Stack) -> Result<Self> {
        Ok(Self(stack.postgres(PgVersion::V15)?))
    }

    #[cfg(test)]
    pub(super) fn of(server: Postgres) -> Self {
        Self(server)
    }
}

impl Database for PostgresDatabase {
    fn server(&self) -> &Server {
        &self.0
    }

    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn prefix(&self) -> &'static str {
        "inventory.public."
    }

    fn create(&self, inventory: Inventory) -> Result<()> {
        let Inventory {
            customers,
            products,
            orders,
            lines,
        } = inventory;
        let named = TABLES.map(|table| format!("'{table}'")).join(",");
        refuse(&self.0.psql_as_cdc(&format!(
            "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename IN ({named})"
        ))?)?;
        self.0.psql_as_cdc(&format!(
            "\\set customers {customers}\n\\set products {products}\n\\set orders {orders}\n\\set lines {lines}\n{SQL}"
        ))?;
        Ok(())
    }

    fn clean(&self) -> Result<()> {
        let tables = TABLES.join(", ");
        self.0.psql(&format!(
            "DROP TABLE IF EXISTS {tables}; DROP TYPE IF EXISTS customer_kind, order_status; DROP PUBLICATION IF EXISTS {SLOT};\n\
             SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{SLOT}';"
        ))?;
        Ok(())
    }

    fn session(&self) -> Result<Session> {
        let mut psql = Command::new(self.0.program("psql"));
        psql.args(["-XAt", "-v", "ON_ERROR_STOP=1", "-d", &self.0.cdc_url()])
            .env("PGAPPNAME", "demo");
        Session::open(psql, question, changed)
    }

    fn phrases(&self) -> Box<dyn Phrases> {
        Box::new(phrases::PostgresPhrases)
    }

    fn truth(&self, table: &str) -> Result<Truth> {
        truth::read(&self.0, table)
    }

    fn source(&self, _: Option<&str>) -> Value {
        json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "database.hostname": self.0.host(),
            "database.port": self.0.port().to_string(),
            "database.user": USER,
            "database.password": PASSWORD,
            "database.dbname": DATABASE,
            "topic.prefix": "inventory",
            "table.include.list": TABLES.map(|table| format!("public.{table}")).join(","),
            "plugin.name": "pgoutput",
            "slot.name": SLOT,
            "publication.name": SLOT,
            "publication.autocreate.mode": "filtered",
            "snapshot.mode": "initial"
        })
    }

    fn client(&self) -> String {
        format!("{} {}", self.0.program("psql").display(), self.0.cdc_url())
    }
}

fn question(sql: &str) -> String {
    format!("{sql}\n\\echo {END}\n")
}

/// The rows of a command tag: `INSERT 0 3`, `UPDATE 1`, `DELETE 0`.
fn changed(tag: &str) -> Option<u64> {
    let (command, rest) = tag.split_once(' ')?;
    match command {
        "INSERT" => rest.strip_prefix("0 ")?.parse().ok(),
        "UPDATE" | "DELETE" => rest.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn rows_are_counted_from_tags() {
        let tags = ["BEGIN", "INSERT 0 3", "UPDATE 1", "DELETE 0", "SELECT 5"];
        assert_eq!(tags.map(changed), [None, Some(3), Some(1), Some(0), None]);
    }
}
