//! Against real servers.

#![allow(clippy::unwrap_used)]

mod cells;
mod charsets;
mod checks;
mod compressed;
mod connections;
mod dumps;
mod evolution;
mod gtids;
mod history;
mod images;
mod incremental;
mod interrupted;
mod parallel;
mod prepared;
mod snapshots;
mod tasks;
mod values;

use std::time::Duration;

use connect_core::Secret;
use mysql_source::{
    config::{Compress, SslMode},
    wire::Target,
};
use stack::{Mysql, MysqlVersion};

/// Both MySQLs and both MariaDBs.
const VERSIONS: [MysqlVersion; 4] = [
    MysqlVersion::V80,
    MysqlVersion::V97,
    MysqlVersion::Mariadb1011,
    MysqlVersion::Mariadb118,
];

fn target(mysql: &Mysql, user: &str, ssl_mode: SslMode) -> Target {
    Target {
        host: "127.0.0.1".into(),
        port: mysql.port(),
        user: user.into(),
        password: Some(Secret::new("cdc".to_owned())),
        ssl_mode,
        ssl_ca: Some(mysql.ca_path().unwrap().display().to_string()),
        ssl_cert: None,
        ssl_key: None,
        compression: Compress::None,
        keep_alive: true,
        connect_timeout: Duration::from_secs(20),
        query_timeout: Duration::from_secs(60),
        application: "tidewater test".into(),
    }
}

/// What may take a while on a busy machine.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("an answer within a minute")
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}
