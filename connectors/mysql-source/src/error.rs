//! What can go wrong with MySQL and MariaDB, classified once.

use std::{fmt, io};

use connect_core::{Code, Error};

connect_core::codes! {
    /// The server cannot be reached, went away, or is starting up.
    CONNECTION = "mysql.connection", Retry, "Check that the server runs and that `database.hostname` and `database.port` lead to it.";
    /// The server did not answer in time.
    TIMEOUT = "mysql.timeout", Retry, "Look at the server's load; raise `database.query.timeout.ms` if its answers need longer.";
    /// User or password do not let us in.
    AUTHENTICATION = "mysql.authentication", Fail, "Correct `database.user` and `database.password`, and see that the account may connect from this host.";
    /// The TLS handshake failed, or the server speaks no TLS.
    TLS = "mysql.tls", Fail, "Check `database.ssl.mode` and the certificate files, and the server's `ssl_cert` and `ssl_ca`.";
    /// The server does not compress in the way that is configured.
    COMPRESSION = "mysql.compression", Fail, "Set `database.compression` to one that the server offers (`protocol_compression_algorithms`; MariaDB has `zlib` only), or to `none`.";
    /// The user may not do this.
    PERMISSION = "mysql.permission", Fail, "Give the user the rights: `GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO …`.";
    /// The server has no binlog, or one of statements.
    BINLOG = "mysql.binlog", Fail, "Set `log_bin`, `binlog_format=ROW` and `binlog_row_image=FULL` in the server's configuration, and restart it.";
    /// What follows the stored position is no longer there.
    PURGED = "mysql.purged", Fail, "The server has purged the binlog that the stored position needs. Raise `binlog_expire_logs_seconds`, then delete the connector's offsets to snapshot again, or set `snapshot.mode=when_needed` so that this happens by itself.";
    /// The server has not yet, or will never have, what was read from another.
    BEHIND = "mysql.behind", Retry, "If the server is a replica that lags, this goes on by itself when it has caught up. If transactions were lost when it took over, records tell of rows that are not there: delete the connector's offsets to snapshot again, or set `snapshot.mode=when_needed` so that this happens by itself.";
    /// Another replica has our number. Nobody tries again, since the two would end each other for ever.
    SERVER_ID = "mysql.server_id", Fail, "Another replica, or another connector, uses the same `database.server.id` and has taken our place: give each its own.";
    /// A change that was logged as a statement.
    STATEMENT = "mysql.statement", Fail, "A change to a captured table was logged as a statement, so that its rows are not known. Set `binlog_format=ROW` for the server and all sessions, then snapshot the table again.";
    /// A table is not what its rows say.
    SCHEMA = "mysql.schema", Fail, "The columns of the table at that position are not known. Set `binlog_row_metadata=FULL`, so that the binlog tells them, and snapshot the table again (signal `execute-snapshot`), or follow `inconsistent.schema.handling.mode`.";
    /// The server is too old, or of the other family.
    VERSION = "mysql.version", Fail, "Use MySQL 8.0 or newer, or MariaDB 10.5 or newer, with the connector class of its family.";
    /// A lock or a deadlock was in the way.
    CONFLICT = "mysql.conflict", Retry, "The next try may find it free; when it goes on, look for long locks with `performance_schema.metadata_locks`.";
    /// A statement that the user wrote or that we made failed.
    QUERY = "mysql.query", Fail, "Read the server's message; the server's log has more.";
    /// The server sent bytes that we do not understand.
    PROTOCOL = "mysql.protocol", Fail, "Check that `database.port` leads to MySQL or MariaDB itself and not to a proxy that does not know replication.";
    /// An event whose checksum is wrong.
    CHECKSUM = "mysql.checksum", Fail, "The binlog is damaged on the server or was changed on its way; look at it with `mysqlbinlog --verify-binlog-checksum`.";
    /// A text that is not in the character set of its column.
    ENCODING = "mysql.encoding", Fail, "A column holds bytes that its character set does not have: correct them, or leave the column out with `column.exclude.list`.";
    /// A value that does not have the form of its type.
    VALUE = "mysql.value", Fail, "Leave the column out with `column.exclude.list` and report its type.";
    /// The stored offset is not one of this connector.
    OFFSET = "mysql.offset", Fail, "Delete or correct the connector's offsets over the REST API.";
    /// The snapshot cannot be taken as configured.
    SNAPSHOT = "mysql.snapshot", Fail, "See the message; `snapshot.mode` decides when tables are read.";
}

/// What the server says when a statement fails.
#[derive(Debug, Clone, Default)]
pub struct ServerError {
    /// The server's number.
    pub code: u16,
    /// The SQLSTATE.
    pub state: String,
    /// The message.
    pub message: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.message, self.code, self.state)
    }
}

impl std::error::Error for ServerError {}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Error::new(code_of(&error), error.message.clone())
            .context("code", error.code)
            .context("sqlstate", &error.state)
            .caused_by(error)
    }
}

/// `ER_NO_SUCH_TABLE`, `ER_BAD_DB_ERROR`
pub(crate) const UNKNOWN: &[u16] = &[1146, 1049];

/// Whether an error is one of these of the server, by its numbers.
pub(crate) fn is_of_server(error: &Error, numbers: &[u16]) -> bool {
    let cause = std::error::Error::source(error);
    let server = cause.and_then(|cause| cause.downcast_ref::<ServerError>());
    server.is_some_and(|server| numbers.contains(&server.code))
}

/// The server's number to code:
/// <https://dev.mysql.com/doc/mysql-errors/9.4/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
fn code_of(error: &ServerError) -> &'static Code {
    match error.code {
        1045 | 1698 | 1820 | 1862 | 3118 | 3955 | 4151 => &AUTHENTICATION,
        1044 | 1142 | 1143 | 1227 | 1370 => &PERMISSION,
        // ER_SOURCE_FATAL_ERROR_READING_BINLOG has many reasons, which only its text tells.
        1236 => of_binlog(&error.message),
        // ER_TABLE_DEF_CHANGED: a table was altered behind the moment of a snapshot, which needs another one.
        1205 | 1213 | 1412 | 3572 => &CONFLICT,
        1317 | 1969 | 3024 => &TIMEOUT,
        1040 | 1041 | 1053 | 1129 | 1152 | 1158..=1161 | 1180 | 1203 | 1226 | 1290 | 3169 => {
            &CONNECTION
        }
        1381 => &BINLOG,
        4052 => &SERVER_ID,
        1789 | 1955 => &PURGED,
        _ => &QUERY,
    }
}

fn of_binlog(message: &str) -> &'static Code {
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if says(&[
        "same server_uuid",
        "same server_id",
        "server_uuid/server_id",
    ]) {
        return &SERVER_ID;
    }
    if says(&[
        "purged",
        "Could not find first log",
        "not in the master's binlog",
        "not in the source's",
    ]) {
        return &PURGED;
    }
    if says(&["Binary log is not open"]) {
        return &BINLOG;
    }
    match says(&["shutdown", "Thread killed", "connection"]) {
        true => &CONNECTION,
        false => &PURGED,
    }
}

/// An error of the socket.
pub fn io(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidData && error.get_ref().is_some_and(is_tls) {
        return Error::new(&TLS, "the TLS connection failed").caused_by(error);
    }
    Error::new(&CONNECTION, "the connection to the server broke").caused_by(error)
}

fn is_tls(inner: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    inner.downcast_ref::<rustls::Error>().is_some()
}

/// The server closed the connection without a word.
pub fn closed() -> Error {
    Error::new(&CONNECTION, "the server closed the connection")
}

/// Bytes that make no sense.
pub fn protocol(what: &'static str) -> Error {
    Error::new(&PROTOCOL, what)
}

/// A value that does not have the form of its type.
pub fn value(what: &'static str) -> Error {
    Error::new(&VALUE, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_decide_and_texts_where_they_must() {
        let name = |code, message: &str| {
            let error = ServerError {
                code,
                message: message.into(),
                ..ServerError::default()
            };
            Error::from(error).code().name
        };
        assert_eq!(name(1045, "Access denied"), "mysql.authentication");
        assert_eq!(name(1227, "Access denied; you need …"), "mysql.permission");
        assert_eq!(name(1064, "You have an error"), "mysql.query");
        let purged = "Could not find first log file name in binary log index file";
        assert_eq!(name(1236, purged), "mysql.purged");
        let clash = "A replica with the same server_uuid/server_id as this replica has connected";
        assert_eq!(name(1236, clash), "mysql.server_id");
        let clash = "A slave with the same server_id is already connected";
        assert_eq!(name(4052, clash), "mysql.server_id");
    }
}
