//! The file of settings of a server.

use std::path::Path;

use super::{MysqlOptions, version::Programs};
use crate::Result;

/// The socket, relative to the data folder: a full path may be too long for one.
pub(super) const SOCKET: &str = "mysqld.sock";

/// The folder of temporary tables. A server that starts deletes those of all others in the same folder, while they are read.
pub(super) const TEMPORARY: &str = "tmp";

/// What every server has.
const USUAL: &[(&str, &str)] = &[
    ("bind-address", "127.0.0.1"),
    ("skip-name-resolve", "ON"),
    ("log-bin", "binlog"),
    ("relay-log", "relay"),
    ("binlog-row-image", "FULL"),
    ("binlog-row-metadata", "FULL"),
    ("innodb-buffer-pool-size", "64M"),
    ("max-connections", "300"),
    ("max-allowed-packet", "64M"),
];
const MYSQL: &[(&str, &str)] = &[
    ("mysqlx", "OFF"),
    ("secure-file-priv", "NULL"),
    ("gtid-mode", "ON"),
    ("enforce-gtid-consistency", "ON"),
    ("innodb-redo-log-capacity", "64M"),
];
const MARIADB: &[(&str, &str)] = &[
    ("binlog-format", "ROW"),
    ("gtid-strict-mode", "ON"),
    ("log-slave-updates", "ON"),
    ("character-set-server", "utf8mb4"),
    ("innodb-log-file-size", "32M"),
];
/// A killed server loses nothing; a power cut would cost the last second.
const QUICK: &[(&str, &str)] = &[
    ("sync-binlog", "0"),
    ("innodb-flush-log-at-trx-commit", "2"),
    ("innodb-doublewrite", "OFF"),
];

/// The text of `my.cnf` for a server in `folder`.
pub(super) fn text(
    programs: &Programs,
    folder: &Path,
    port: u16,
    options: &MysqlOptions,
) -> Result<String> {
    let tls = folder.join("tls");
    let mut text = format!(
        "[mysqld]\nport={port}\nserver-id={port}\nsocket={SOCKET}\npid-file={}\n\
         tmpdir={}\n\
         ssl-ca={tls}/ca.pem\nssl-cert={tls}/server.pem\nssl-key={tls}/server.key\n",
        folder.join("server.pid").display(),
        folder.join(TEMPORARY).display(),
        tls = tls.display(),
    );
    for (name, path) in programs.places(&folder.join("data"))? {
        text += &format!("{name}={}\n", path.display());
    }
    let own = match options.version.is_mariadb() {
        true => MARIADB,
        false => MYSQL,
    };
    let quick = if options.durable { &[] } else { QUICK };
    for (name, value) in USUAL.iter().chain(own).chain(quick) {
        text += &format!("{name}={value}\n");
    }
    // The last of two equal names counts.
    for (name, value) in &options.settings {
        text += &format!("{name}={value}\n");
    }
    Ok(text)
}
