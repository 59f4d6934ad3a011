//! MySQL and MariaDB.

mod phrases;
mod shape;
mod truth;

use serde_json::{Value, json};
use stack::{DATABASE, Mysql, PASSWORD, Server, USER};

use super::{
    Result,
    database::{Database, Phrases, refuse},
    inventory::{Inventory, TABLES},
    session::{END, Session},
    truth::Truth,
};

const SQL: &str = include_str!("mysql/inventory.sql");
/// What sets the source apart from all replicas of its server.
const SERVER_ID: &str = "184054";
/// Rows are locked only where they are found, so that the heartbeat waits for nobody; times are UTC.
const SETTINGS: &str =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET time_zone = '+00:00';\n";

/// A server of either kind.
pub(super) struct MysqlDatabase(Mysql);

impl MysqlDatabase {
    pub(super) fn new(server: Mysql) -> Self {
        Self(server)
    }

    /// Runs SQL as the owner of the tables.
    fn sql(&self, sql: &str) -> Result<String> {
        Ok(self.0.sql_as(USER, PASSWORD, DATABASE, sql)?)
    }

    fn is_mariadb(&self) -> bool {
        self.0.version().is_mariadb()
    }
}

impl Database for MysqlDatabase {
    fn server(&self) -> &Server {
        &self.0
    }

    fn name(&self) -> &'static str {
        if self.is_mariadb() {
            "MariaDB"
        } else {
            "MySQL"
        }
    }

    fn prefix(&self) -> &'static str {
        "inventory.inventory."
    }

    fn create(&self, inventory: Inventory) -> Result<()> {
        let Inventory {
            customers,
            products,
            orders,
            lines,
        } = inventory;
        let named = TABLES.map(|table| format!("'{table}'")).join(",");
        let there = self.sql(&format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '{DATABASE}' AND table_name IN ({named})"
        ))?;
        refuse(&there.lines().collect::<Vec<_>>().join(", "))?;
        self.sql(&format!(
            "SET @customers = {customers}, @products = {products}, @orders = {orders}, @order_lines = {lines};\n{SETTINGS}{SQL}"
        ))?;
        Ok(())
    }

    fn clean(&self) -> Result<()> {
        self.sql(&format!("DROP TABLE IF EXISTS {}", TABLES.join(", ")))?;
        Ok(())
    }

    fn session(&self) -> Result<Session> {
        let mut client = self.0.command("mysql", USER, PASSWORD);
        client.args([
            "-N",
            "-B",
            "--unbuffered",
            "--default-character-set=utf8mb4",
            DATABASE,
        ]);
        let mut session = Session::open(client, question, changed)?;
        session.run(SETTINGS)?;
        Ok(session)
    }

    fn phrases(&self) -> Box<dyn Phrases> {
        Box::new(phrases::MysqlPhrases)
    }

    fn truth(&self, table: &str) -> Result<Truth> {
        truth::read(|sql| self.sql(sql), table)
    }

    fn source(&self, bootstrap: Option<&str>) -> Value {
        let class = match self.is_mariadb() {
            true => "io.debezium.connector.mariadb.MariaDbConnector",
            false => "io.debezium.connector.mysql.MySqlConnector",
        };
        let tables = TABLES.map(|table| format!("{DATABASE}.{table}"));
        let mut config = json!({
            "connector.class": class,
            "tasks.max": "1",
            "database.hostname": self.0.host(),
            "database.port": self.0.port().to_string(),
            "database.user": USER,
            "database.password": PASSWORD,
            "database.server.id": SERVER_ID,
            "database.include.list": DATABASE,
            "topic.prefix": "inventory",
            "table.include.list": tables.join(","),
            "schema.history.internal.kafka.topic": "inventory-schema-history",
            "snapshot.mode": "initial"
        });
        if let Some(bootstrap) = bootstrap {
            config["schema.history.internal.kafka.bootstrap.servers"] = bootstrap.into();
        }
        config
    }

    fn client(&self) -> String {
        let command = self.0.command("mysql", USER, PASSWORD);
        let words = command.get_args().map(|word| word.to_string_lossy());
        let words: Vec<_> = words.filter(|word| word != "--no-defaults").collect();
        let program = command.get_program().to_string_lossy().into_owned();
        format!("{program} {} -p{PASSWORD} {DATABASE}", words.join(" "))
    }
}

/// The client tells no counts when it reads from a pipe: they are asked for after each statement.
fn question(sql: &str) -> String {
    let asked = sql.replace(";\n", ";\nSELECT CONCAT('changed ', ROW_COUNT());\n");
    format!("{asked}\nSELECT '{END}';\n")
}

fn changed(line: &str) -> Option<u64> {
    line.strip_prefix("changed ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_asked_for_its_rows() {
        let asked = question("BEGIN;\nDELETE FROM t;\n");
        assert_eq!(asked.matches("ROW_COUNT").count(), 2);
        assert_eq!(changed("changed 3"), Some(3));
        assert_eq!(changed("changed -1"), None);
    }
}
