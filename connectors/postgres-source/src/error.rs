//! What can go wrong with PostgreSQL, classified once.

use std::{fmt, io};

use connect_core::{Code, Error};

connect_core::codes! {
    /// The server cannot be reached, went away, or is starting up.
    CONNECTION = "postgres.connection", Retry, "Check that the server runs and that `database.hostname` and `database.port` lead to it.";
    /// The server did not answer in time.
    TIMEOUT = "postgres.timeout", Retry, "Look at the server's load; raise `database.query.timeout.ms` if its answers need longer.";
    /// User, password or pg_hba.conf do not let us in.
    AUTHENTICATION = "postgres.authentication", Fail, "Correct `database.user` and `database.password`, and see that pg_hba.conf lets this user in from here, for the database and for replication.";
    /// The TLS handshake failed, or the server speaks no TLS.
    TLS = "postgres.tls", Fail, "Check `database.sslmode` and the certificate files, and `ssl` in postgresql.conf.";
    /// The user may not do this.
    PERMISSION = "postgres.permission", Fail, "Give the user the right: `ALTER ROLE … REPLICATION`, `GRANT SELECT ON …`, or let the owner create the publication and set `publication.autocreate.mode=disabled`.";
    /// The slot is gone although a position is stored.
    SLOT_MISSING = "postgres.slot_missing", Fail, "Changes since the stored position cannot be read any more. Delete the connector's offsets to snapshot again, or set `snapshot.mode=when_needed` so that this happens by itself.";
    /// The slot has been invalidated.
    SLOT_LOST = "postgres.slot_lost", Fail, "The server removed the WAL that the slot needed. Drop the slot, raise `max_slot_wal_keep_size`, then delete the connector's offsets or set `snapshot.mode=when_needed` to snapshot again.";
    /// The slot has moved past the stored position.
    SLOT_AHEAD = "postgres.slot_ahead", Fail, "Somebody else advanced or recreated the slot, so changes are missing. Delete the connector's offsets to snapshot again, or accept the gap with `offset.mismatch.strategy=trust_slot`.";
    /// The slot belongs to another plugin or database.
    SLOT_FOREIGN = "postgres.slot_foreign", Fail, "Choose another `slot.name`, or drop the slot with `SELECT pg_drop_replication_slot(…)`.";
    /// Another process reads the slot.
    SLOT_ACTIVE = "postgres.slot_active", Retry, "Each connector needs its own `slot.name`; a server that has not noticed yet that an earlier connection died frees the slot after `wal_sender_timeout`.";
    /// No slot or sender is free.
    SLOTS_FULL = "postgres.slots_full", Fail, "Raise `max_replication_slots` and `max_wal_senders`, or drop slots that nobody reads.";
    /// `wal_level` is not `logical`.
    WAL_LEVEL = "postgres.wal_level", Fail, "Set `wal_level = logical` in postgresql.conf and restart the server.";
    /// The publication does not exist and may not be created.
    PUBLICATION_MISSING = "postgres.publication_missing", Fail, "Create it: `CREATE PUBLICATION … FOR TABLE …`, or set `publication.autocreate.mode`.";
    /// The publication was missing when changes were written.
    PUBLICATION_GAP = "postgres.publication_gap", Fail, "The publication was dropped, and what was written until it was made again cannot be read any more. Drop the slot with `SELECT pg_drop_replication_slot(…)` and delete the connector's offsets, so that the tables are read again.";
    /// The publication cannot be brought into the configured shape.
    PUBLICATION_FOREIGN = "postgres.publication_foreign", Fail, "Choose another `publication.name`, or set `publication.autocreate.mode=disabled` to use it as it is.";
    /// The server is too old.
    VERSION = "postgres.version", Fail, "Use PostgreSQL 12 or newer.";
    /// A lock, a deadlock or a change of the catalog was in the way.
    CONFLICT = "postgres.conflict", Retry, "The next try sees the new state; when it goes on, look for long locks with `pg_locks`.";
    /// A statement that the user wrote or that we made failed.
    QUERY = "postgres.query", Fail, "Read the server's message; the server's log has the statement.";
    /// The server sent bytes that we do not understand.
    PROTOCOL = "postgres.protocol", Fail, "Check that `database.port` leads to PostgreSQL itself and not to a proxy that does not know replication.";
    /// A value is not valid UTF-8.
    ENCODING = "postgres.encoding", Fail, "The database holds text that is not UTF-8 (as SQL_ASCII allows): correct it, or leave the column out with `column.exclude.list`.";
    /// NaN or infinity where the schema has no such number.
    SPECIAL_NUMBER = "postgres.special_number", Fail, "A numeric column holds NaN or infinity, which Decimal has not: set `decimal.handling.mode` to `string` or `double`.";
    /// A value that does not have the form of its type.
    VALUE = "postgres.value", Fail, "Leave the column out with `column.exclude.list` and report its type.";
    /// A transaction that runs cannot be kept until its end.
    IN_PROGRESS = "postgres.in_progress", Fail, "Make room in the folder for temporary files (`TMPDIR`), raise `stream.in.progress.max.bytes`, or set `stream.in.progress.transactions=false`, so that the server keeps them.";
    /// Columns could not be read again.
    RESELECT = "postgres.reselect", Fail, "The row was deleted or its key changed before it was read, or the table was changed: set `reselect.error.handling.mode=warn` to send such rows as they came.";
    /// The stored offset is not one of this connector.
    OFFSET = "postgres.offset", Fail, "Delete or correct the connector's offsets over the REST API.";
    /// What was kept of the slot's changes is not whole.
    SPILL = "postgres.spill", Fail, "Somebody has deleted records of the topic, so changes are missing. Delete the connector's offsets to snapshot again.";
    /// The snapshot cannot be taken as configured.
    SNAPSHOT = "postgres.snapshot", Fail, "See the message; `snapshot.mode` decides when tables are read.";
}

/// What the server says when a statement fails.
#[derive(Debug, Clone, Default)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// The SQLSTATE.
    pub state: String,
    /// The message. Never has row values in the errors that replication and catalog queries give.
    pub message: String,
    /// More about it.
    pub detail: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.severity, self.message, self.state)?;
        if !self.hint.is_empty() {
            write!(f, ", hint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Error::new(code_of(&error), error.message.clone())
            .context("sqlstate", &error.state)
            .caused_by(error)
    }
}

/// SQLSTATE to code; <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn code_of(error: &ServerError) -> &'static Code {
    match error.state.as_str() {
        "55006" => &SLOT_ACTIVE,
        "53400" if error.message.contains("slots") => &SLOTS_FULL,
        "53300" if error.message.contains("max_wal_senders") => &SLOTS_FULL,
        "42501" => &PERMISSION,
        "55000" if error.message.contains("wal_level") => &WAL_LEVEL,
        "55000" if is_lost(&error.message) => &SLOT_LOST,
        "42704" if error.message.contains("publication") => &PUBLICATION_GAP,
        "42704" if error.message.contains("slot") => &SLOT_MISSING,
        "58P01" => &SLOT_LOST,
        "57014" => &TIMEOUT,
        "40001" | "40P01" | "55P03" | "XX000" => &CONFLICT,
        state => match state.get(..2) {
            Some("28") => &AUTHENTICATION,
            Some("08" | "57" | "53" | "58") => &CONNECTION,
            _ => &QUERY,
        },
    }
}

fn is_lost(message: &str) -> bool {
    message.contains("can no longer get changes")
        || message.contains("cannot read from logical replication slot")
        || message.contains("cannot get changes")
        || message.contains("has been invalidated")
}

/// The failure of a statement that has values of rows in it. Invariant 7: messages of class 22 repeat the value that they
/// refuse.
pub fn without_values(error: Error) -> Error {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
    match cause.map(|cause: &ServerError| cause.state.as_str()) {
        Some(state) if state.starts_with("22") => {
            Error::new(error.code(), "the server refuses a value").context("sqlstate", state)
        }
        _ => error,
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

/// The server has passed over changes, and says so in a notice.
pub fn publication_gap(notice: ServerError) -> Error {
    let what = "the publication did not exist when changes were written";
    Error::new(&PUBLICATION_GAP, what).caused_by(notice)
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
    use connect_core::Verdict;

    fn verdict(state: &str, message: &str) -> (&'static str, Verdict) {
        let error = Error::from(ServerError {
            state: state.into(),
            message: message.into(),
            ..ServerError::default()
        });
        (error.code().name, error.verdict())
    }

    #[test]
    fn states_decide() {
        use Verdict::{Fail, Retry};
        let lost = "can no longer get changes from replication slot \"x\"";
        let level = "logical decoding requires wal_level >= logical";
        for (state, message, code, expected) in [
            ("28P01", "password failed", "authentication", Fail),
            ("57P01", "terminating connection", "connection", Retry),
            ("57P03", "starting up", "connection", Retry),
            (
                "55006",
                "slot \"x\" is active for PID 1",
                "slot_active",
                Retry,
            ),
            ("42501", "permission denied for table t", "permission", Fail),
            (
                "42704",
                "replication slot \"x\" does not exist",
                "slot_missing",
                Fail,
            ),
            (
                "42704",
                "publication \"x\" does not exist",
                "publication_gap",
                Fail,
            ),
            ("55000", level, "wal_level", Fail),
            ("55000", lost, "slot_lost", Fail),
            (
                "53400",
                "all replication slots are in use",
                "slots_full",
                Fail,
            ),
            ("42601", "syntax error", "query", Fail),
        ] {
            let (name, verdict) = verdict(state, message);
            assert_eq!(
                (name, verdict),
                (format!("postgres.{code}").as_str(), expected),
                "{state}"
            );
        }
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        let said = |state: &str| {
            let error = ServerError {
                state: state.into(),
                message: "invalid input value for enum mood: \"secret\"".into(),
                ..ServerError::default()
            };
            without_values(error.into()).report()
        };
        assert!(said("42883").contains("secret"));
        let refused = said("22P02");
        assert!(!refused.contains("secret") && refused.contains("22P02"));
    }
}
