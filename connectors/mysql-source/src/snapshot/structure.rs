//! What a snapshot tells of the structure of tables before it reads them: the statements that would make them anew, as Debezium
//! has them.

use std::{collections::VecDeque, sync::Arc};

use cdc::{change::Marker, java_order::JavaOrder};
use connect_core::{Batch, Result};

use crate::{
    catalog::{self, TableInfo, database_charset, quoted},
    change::ChangeWriter,
    ddl::{Kind, bare},
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
    /// Whether nothing follows them.
    is_all: bool,
    statements: VecDeque<Statement>,
}

#[derive(Debug)]
struct Statement {
    database: String,
    sql: String,
    table: Option<(Kind, TableName)>,
}

/// What is to be told.
#[derive(Debug)]
pub(crate) struct Telling {
    /// Where.
    pub topic: Arc<SchemaTopic>,
    /// Whether nothing follows.
    pub is_all: bool,
    /// Whether tables come in the order of a map of Java's, as they do for Debezium when nothing is locked.
    pub by_hash: bool,
}

impl Structure {
    /// Asks the server for the statements of tables, which are sorted by their databases; what only those tell is added to
    /// the tables.
    pub(crate) async fn read(
        telling: Telling,
        tables: &mut [TableInfo],
        connection: &mut Connection,
    ) -> Result<Self> {
        let mut statements = VecDeque::new();
        statements.push_back(Statement::of("", server_charset(connection).await?));
        for info in tables.iter() {
            let sql = format!("DROP TABLE IF EXISTS {}", info.sql_name());
            statements.push_back(Statement::of_table(info, Kind::Drop, sql));
        }
        for of_database in tables.chunk_by_mut(|a, b| a.database == b.database) {
            let Some(database) = of_database.first().map(|info| info.database.clone()) else {
                continue;
            };
            statements.extend(Statement::of_database(&database, connection).await?);
            let mut made = Vec::new();
            for info in of_database {
                if let Some(sql) = catalog::show_create(connection, info).await? {
                    catalog::complete(info, &sql);
                    made.push(Statement::of_table(
                        info,
                        Kind::Create,
                        bare(&sql).to_owned(),
                    ));
                }
            }
            if telling.by_hash {
                sort_by_hash(&mut made);
            }
            statements.extend(made);
        }
        Ok(Self {
            topic: telling.topic,
            is_all: telling.is_all,
            statements,
        })
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
            let marker = match self.is_all && self.statements.is_empty() {
                true => Marker::Last,
                false => Marker::True,
            };
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
            writer.schema(&self.topic, &change, Some(marker), out);
        }
        !out.is_empty()
    }
}

/// The order of a `java.util.HashMap` with the tables as keys.
fn sort_by_hash(statements: &mut [Statement]) {
    let name = |statement: &Statement| {
        let table = statement.table.as_ref();
        table.map_or(String::new(), |(_, (database, table))| {
            format!("{database}.{table}")
        })
    };
    let names: Vec<String> = statements.iter().map(name).collect();
    let order = JavaOrder::default().of(names.iter().map(String::as_str));
    let place = |statement: &Statement| {
        let at = names.iter().position(|known| *known == name(statement));
        order.iter().position(|place| Some(*place) == at)
    };
    statements.sort_by_cached_key(place);
}

impl Statement {
    fn of(database: &str, sql: String) -> Self {
        Self {
            database: database.to_owned(),
            sql,
            table: None,
        }
    }

    fn of_table(info: &TableInfo, kind: Kind, sql: String) -> Self {
        let name = (info.database.clone(), info.name.clone());
        Self {
            table: Some((kind, name)),
            ..Self::of(&info.database, sql)
        }
    }

    /// Those that make a database.
    async fn of_database(database: &str, connection: &mut Connection) -> Result<[Self; 3]> {
        let id = quoted(database);
        let charset = match database_charset(connection, database).await? {
            Some((charset, collation)) => format!(" CHARSET {charset} COLLATE {collation}"),
            None => String::new(),
        };
        let statements = [
            format!("DROP DATABASE IF EXISTS {id}"),
            format!("CREATE DATABASE {id}{charset}"),
            format!("USE {id}"),
        ];
        Ok(statements.map(|sql| Self::of(database, sql)))
    }
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
