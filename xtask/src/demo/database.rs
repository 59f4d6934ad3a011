//! The database of the demo: what its kinds do each in their own way.

use serde_json::Value;
use stack::{MysqlVersion, Server, Stack};

use super::{
    Result, inventory::Inventory, mysql::MysqlDatabase, postgres::PostgresDatabase,
    session::Session, truth::Truth,
};

/// Which database is the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Postgres,
    Mysql,
    Mariadb,
}

impl Source {
    /// By the word after `--source`.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "postgres" => Some(Self::Postgres),
            "mysql" => Some(Self::Mysql),
            "mariadb" => Some(Self::Mariadb),
            _ => None,
        }
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL 15",
            Self::Mysql => "MySQL 9.7",
            Self::Mariadb => "MariaDB 11.8",
        }
    }

    /// Starts the server, or takes the one that the environment names.
    pub(super) fn start(self, stack: &Stack) -> Result<Box<dyn Database>> {
        Ok(match self {
            Self::Postgres => Box::new(PostgresDatabase::start(stack)?),
            Self::Mysql => Box::new(MysqlDatabase::new(stack.mysql(MysqlVersion::V97)?)),
            Self::Mariadb => Box::new(MysqlDatabase::new(stack.mysql(MysqlVersion::Mariadb118)?)),
        })
    }
}

/// A running database.
pub(super) trait Database: Send + Sync {
    /// The server.
    fn server(&self) -> &Server;

    /// Its name in a list: `PostgreSQL`.
    fn name(&self) -> &'static str;

    /// What topics, indices and keys begin with, before the table's name.
    fn prefix(&self) -> &'static str;

    /// Creates and fills the tables; an error when some of their names are taken.
    fn create(&self, inventory: Inventory) -> Result<()>;

    /// Deletes all that [`Database::create`] and the source made. No connector runs.
    fn clean(&self) -> Result<()>;

    /// A connection as the owner of the tables.
    fn session(&self) -> Result<Session>;

    /// How it says what is said differently everywhere.
    fn phrases(&self) -> Box<dyn Phrases>;

    /// All rows of a table, in the texts that a sink should hold.
    fn truth(&self, table: &str) -> Result<Truth>;

    /// The source connector. `bootstrap` are the brokers, if there are any.
    fn source(&self, bootstrap: Option<&str>) -> Value;

    /// The command line of its client.
    fn client(&self) -> String;
}

/// Statements of the workload that are not the same SQL everywhere. Each ends with `;` and a line break.
pub(super) trait Phrases: Send {
    /// An order, and its lines for products from `product` on, of which there are `products`.
    fn order(&self, order: u64, customer: u64, product: u64, products: u32, lines: u64) -> String;

    /// A new manual of so many words.
    fn rewrite_manual(&self, product: u64, seed: u64, words: u64) -> String;

    /// Some customers lose all that they can lose.
    fn forget(&self, first: u64) -> String;

    /// Some customers are seen again.
    fn remember(&self, first: u64) -> String;
}

/// An error when tables of the demo's names are there.
pub(super) fn refuse(there: &str) -> Result<()> {
    match there.trim() {
        "" => Ok(()),
        there => Err(format!(
            "the database has tables of the demo's names already: drop {there}, or name an empty database"
        )
        .into()),
    }
}
