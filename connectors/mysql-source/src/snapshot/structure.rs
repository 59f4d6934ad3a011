//! What a snapshot tells of the structure of tables before it reads them: the statements that would make them anew, as Debezium
//! has them.

use std::{collections::VecDeque, sync::Arc};

use cdc::change::Marker;
use connect_core::{Batch, Result};

use crate::{
    catalog::{database_charset, quoted},
    change::ChangeWriter,
    ddl::Kind,
    schema_changes::{SchemaChange, SchemaTopic, TableChange},
    versions::{TableName, Versions},
    wire::{Answer, Connection},
};

/// A batch is full with so many statements: each tells a whole table.
const BATCH_STATEMENTS: usize = 64;

/// The statements that are still to be told.
#[derive(Debug)]
pub(crate) struct Structure {
    topic: Arc<SchemaTopic>,
    statements: VecDeque<Statement>,
}

#[derive(Debug)]
struct Statement {
    database: String,
    sql: String,
    table: Option<(Kind, TableName)>,
}

impl Structure {
    /// Asks the server for the statements of tables, which are sorted by their databases.
    pub(crate) async fn read(
        topic: Arc<SchemaTopic>,
        tables: &[TableName],
        connection: &mut Connection,
    ) -> Result<Self> {
        let mut statements = VecDeque::new();
        let of = |database: &str, sql, table| Statement {
            database: database.to_owned(),
            sql,
            table,
        };
        statements.push_back(of("", server_charset(connection).await?, None));
        for name in tables {
            let sql = format!("DROP TABLE IF EXISTS {}", sql_name(name));
            statements.push_back(of(&name.0, sql, Some((Kind::Drop, name.clone()))));
        }
        for of_database in tables.chunk_by(|a, b| a.0 == b.0) {
            let Some((database, _)) = of_database.first() else {
                continue;
            };
            let id = quoted(database);
            let charset = match database_charset(connection, database).await? {
                Some((charset, collation)) => format!(" CHARSET {charset} COLLATE {collation}"),
                None => String::new(),
            };
            for sql in [
                format!("DROP DATABASE IF EXISTS {id}"),
                format!("CREATE DATABASE {id}{charset}"),
                format!("USE {id}"),
            ] {
                statements.push_back(of(database, sql, None));
            }
            for name in of_database {
                let sql = format!("SHOW CREATE TABLE {}", sql_name(name));
                let rows = connection.query(&sql).await?;
                if let Some(row) = rows.first() {
                    let sql = row.text(1).to_owned();
                    statements.push_back(of(database, sql, Some((Kind::Create, name.clone()))));
                }
            }
        }
        Ok(Self { topic, statements })
    }

    /// Tells the next statements; whether there were any.
    pub(crate) fn tell(
        &mut self,
        writer: &mut ChangeWriter,
        versions: &Versions,
        out: &mut Batch,
    ) -> bool {
        for _ in 0..BATCH_STATEMENTS {
            let Some(statement) = self.statements.pop_front() else {
                break;
            };
            let table = statement.table.as_ref();
            let change = SchemaChange {
                database: &statement.database,
                tables: table.map(|(_, (_, table))| table.clone()),
                ddl: &statement.sql,
                change: table.map(|(kind, name)| TableChange {
                    kind: *kind,
                    name,
                    table: versions.get(name),
                }),
            };
            writer.schema(&self.topic, &change, Some(Marker::True), out);
        }
        !out.is_empty()
    }
}

fn sql_name((database, table): &TableName) -> String {
    format!("{}.{}", quoted(database), quoted(table))
}

async fn server_charset(connection: &mut Connection) -> Result<String> {
    let sql = "SELECT @@GLOBAL.character_set_server, @@GLOBAL.collation_server";
    let rows = connection.query(sql).await?;
    let text = |at: usize| rows.first().map_or("", |row| row.text(at)).to_owned();
    let (charset, collation) = (text(0), text(1));
    Ok(format!(
        "SET character_set_server={charset}, collation_server={collation}"
    ))
}
