//! Who else reads the binlog of a server.

use connect_core::Result;

use super::{Answer, Connection, Flavor};

/// The hosts of the replicas with a number, as they have told them; connectors tell their name. Not everybody may ask.
pub async fn replicas(connection: &mut Connection, server_id: u32) -> Result<Vec<String>> {
    let server = connection.server();
    let sql = match server.flavor {
        Flavor::MySql if server.version >= (8, 0, 22) => "SHOW REPLICAS",
        _ => "SHOW SLAVE HOSTS",
    };
    let rows = connection.query(sql).await?;
    let ours = server_id.to_string();
    let with_it = rows.iter().filter(|row| row.text(0) == ours);
    Ok(with_it.map(|row| row.text(1).to_owned()).collect())
}

/// Where connections read the binlog from: `user@host:port`. A few, if there are many.
pub async fn readers(connection: &mut Connection) -> Result<Vec<String>> {
    let sql = "SELECT CONCAT(USER, '@', HOST) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' LIMIT 10";
    let rows = connection.query(sql).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}
