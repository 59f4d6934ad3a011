//! Files, network, authentication.

use std::time::Duration;

use connect_core::{Error, Finding, config::Millis};

use super::Look;
use crate::{
    catalog::{literal, quoted},
    config::{PostgresConfig, SslMode},
    error::{self, ServerError},
    task::target,
    wire::{Connection, Purpose, tls_files},
};

/// Nobody waits longer than this for the answer to a question about a configuration.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a property says how the server is reached.
pub(super) fn is_needed(key: &str) -> bool {
    key.starts_with("database.") || key == "connection.validation.timeout.ms"
}

/// What is wrong with the files for TLS, whether the server is there or not.
pub(super) fn files(config: &PostgresConfig, findings: &mut Vec<Finding>) {
    let is_used = |key: &str| match config.ssl_mode {
        SslMode::Disable => false,
        _ => key != "database.sslrootcert" || verifies(config),
    };
    for (key, error) in tls_files(&target(config)) {
        let what = match key {
            "database.sslkey" => format!(
                "{}. Give it a file that the worker may read, with an unencrypted key of the certificate: \
                 `openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE`",
                with_cause(&error)
            ),
            _ => format!(
                "{}. Give it a PEM file that the worker may read",
                with_cause(&error)
            ),
        };
        findings.push(match is_used(key) {
            true => Finding::error(key, what),
            false => Finding::warning(key, what),
        });
    }
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A connection for queries; a finding when there is none.
pub(super) async fn connect(
    config: &PostgresConfig,
    findings: &mut Vec<Finding>,
) -> Option<Connection> {
    let has_no_authority = |f: &Finding| f.is_error() && f.key == "database.sslrootcert";
    if findings.iter().any(has_no_authority) {
        // Nobody else's server may get the password.
        return None;
    }
    let is_incomplete = findings.iter().any(is_about_a_file);
    let mut config = impatient(config);
    if is_incomplete {
        (config.ssl_cert, config.ssl_key) = (None, None);
    }
    match Connection::open(&target(&config), Purpose::Query).await {
        Ok(connection) => Some(connection),
        Err(error) => {
            // Somebody who would be let in with a certificate is not, without it.
            if !(is_incomplete && state(&error) == "28000") {
                findings.push(finding(&config, &error));
            }
            None
        }
    }
}

fn is_about_a_file(finding: &Finding) -> bool {
    let files = ["database.sslcert", "database.sslkey"];
    finding.is_error() && files.contains(&finding.key.as_str())
}

/// The same configuration, which gives up sooner.
fn impatient(config: &PostgresConfig) -> PostgresConfig {
    PostgresConfig {
        connect_timeout: Millis(config.connect_timeout.0.min(PATIENCE)),
        ..config.clone()
    }
}

/// An error as a finding, on the property that it is about.
pub(super) fn finding(config: &PostgresConfig, error: &Error) -> Finding {
    let (key, mend) = match (error.code().name, state(error)) {
        (_, "28P01") => ("database.password", password(config)),
        ("postgres.authentication", "") => ("database.password", password(config)),
        (_, "28000") => ("database.user", login(config)),
        (_, "3D000") => ("database.dbname", database(config)),
        ("postgres.permission", _) if error.to_string().contains("database") => {
            ("database.user", grant_connect(config))
        }
        ("postgres.authentication" | "postgres.permission", _) => ("database.user", remedy(error)),
        ("postgres.tls", _) if verifies(config) && config.ssl_root_cert.is_some() => {
            ("database.sslrootcert", remedy(error))
        }
        ("postgres.tls", _) => ("database.sslmode", remedy(error)),
        ("postgres.slots_full" | "postgres.slot_active", _) => ("slot.name", remedy(error)),
        ("postgres.timeout", _) => ("database.query.timeout.ms", remedy(error)),
        _ => ("database.hostname", remedy(error)),
    };
    let mut what = error.to_string();
    if state(error).is_empty()
        && let Some(cause) = std::error::Error::source(error)
    {
        what = format!("{what}: {cause}");
    }
    Finding::error(key, format!("{what}. {mend}"))
}

fn remedy(error: &Error) -> String {
    error.code().remedy.to_owned()
}

/// The SQLSTATE; empty when the server did not say it.
fn state(error: &Error) -> &str {
    let cause = std::error::Error::source(error);
    let server = cause.and_then(|cause| cause.downcast_ref::<ServerError>());
    server.map_or("", |server| server.state.as_str())
}

fn verifies(config: &PostgresConfig) -> bool {
    matches!(config.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull)
}

fn password(config: &PostgresConfig) -> String {
    let user = quoted(&config.user);
    format!("Correct `database.user` and `database.password`, or `ALTER ROLE {user} PASSWORD '…'`")
}

fn login(config: &PostgresConfig) -> String {
    let (user, database) = (quoted(&config.user), quoted(&config.database));
    format!(
        "`CREATE ROLE {user} LOGIN REPLICATION PASSWORD '…'` when there is no such user; else let it in with a line \
         `host {database} {user} ADDRESS scram-sha-256` in pg_hba.conf and `SELECT pg_reload_conf()`"
    )
}

fn database(config: &PostgresConfig) -> String {
    let name = quoted(&config.database);
    format!("Correct `database.dbname`, or `CREATE DATABASE {name}`")
}

fn grant_connect(config: &PostgresConfig) -> String {
    let (user, database) = (quoted(&config.user), quoted(&config.database));
    format!("`GRANT CONNECT ON DATABASE {database} TO {user}`")
}

impl Look<'_> {
    /// Tries a connection for replication, which only a try can tell of: of pg_hba.conf, and of senders that are left.
    pub(super) async fn walsender(&mut self) {
        let has_files = !self.findings.iter().any(is_about_a_file);
        if !self.server.may_replicate || !has_files {
            return;
        }
        let target = target(&impatient(self.config));
        let error = match Connection::open(&target, Purpose::Replication).await {
            Ok(connection) => return connection.close().await,
            Err(error) => error,
        };
        if error.code() != &error::SLOTS_FULL {
            let finding = finding(self.config, &error);
            self.findings.push(finding);
        } else if self.slot.is_ours() {
            let what = "All WAL senders of the server are busy, one of them with this connector";
            self.warning("slot.name", what);
        } else {
            let now = self.server.max_wal_senders;
            let what = format!(
                "All WAL senders of the server are busy: `ALTER SYSTEM SET max_wal_senders = {}` and restart the server, or \
                 end one of those in `SELECT pid, application_name FROM pg_stat_replication` with \
                 `SELECT pg_terminate_backend(PID)`",
                now + 10
            );
            self.error("slot.name", what);
        }
    }

    /// A name as text in SQL, for statements that people run.
    pub(super) fn slot_literal(&self) -> String {
        literal(&self.config.slot)
    }
}
