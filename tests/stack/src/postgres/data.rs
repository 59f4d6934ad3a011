//! The data folder of a new server: made once for each version, then copied.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{DATABASE, PASSWORD, PgVersion, PostgresOptions, SUPERUSER, USER};
use crate::{
    Result,
    account::Account,
    cache,
    run::{run, run_with},
    tls::certificates,
};

/// The settings that this crate owns; `postgresql.conf` includes them.
pub(super) fn configuration(folder: &Path, port: u16, options: &PostgresOptions) -> String {
    let tls = folder.join("tls");
    let tls = tls.display();
    let mut text = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
         wal_level = logical\nmax_wal_senders = 40\nmax_replication_slots = 40\nmax_connections = 200\n\
         shared_buffers = 64MB\nmax_wal_size = 4GB\npassword_encryption = 'scram-sha-256'\n\
         ssl = on\nssl_ca_file = '{tls}/ca.pem'\nssl_cert_file = '{tls}/server.pem'\n\
         ssl_key_file = '{tls}/server.key'\nlog_line_prefix = '%m [%p] %q%a '\n"
    );
    if !options.durable {
        text += "fsync = off\n";
    }
    for (name, value) in &options.settings {
        text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
    }
    text
}

/// Copies the prepared data folder, made once for each version, and the certificates.
pub(super) fn create(programs: &Path, folder: &Path, version: PgVersion) -> Result<()> {
    let template = template(programs, version)?;
    let account = Account::of_servers();
    copy(&account, &template.join("data"), &folder.join("data"))?;
    certify(folder, &account)
}

/// Adds the certificates, and hides data and key from others.
pub(super) fn certify(folder: &Path, account: &Account) -> Result<()> {
    let tls = certificates()?;
    run(account.command(Path::new("mkdir")).arg(folder.join("tls")))?;
    for name in ["ca.pem", "server.pem", "server.key"] {
        copy(account, &tls.join(name), &folder.join("tls"))?;
    }
    let private = [folder.join("data"), folder.join("tls/server.key")];
    run(account
        .command(Path::new("chmod"))
        .arg("-R")
        .arg("go-rwx")
        .args(private))?;
    Ok(())
}

fn copy(account: &Account, from: &Path, to: &Path) -> Result<()> {
    run(account.command(Path::new("cp")).arg("-r").arg(from).arg(to))?;
    Ok(())
}

fn template(programs: &Path, version: PgVersion) -> Result<PathBuf> {
    let name = format!("{}-data", version.kind());
    cache::install(&name, |folder, _| {
        let account = Account::of_servers();
        account.own(folder)?;
        let data = folder.join("data");
        fs::write(folder.join("password"), PASSWORD)?;
        run(account
            .command(&programs.join("initdb"))
            .args([
                "-U",
                SUPERUSER,
                "-A",
                "scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .arg(format!("--pwfile={}", folder.join("password").display()))
            .arg("-D")
            .arg(&data))?;
        let sql = format!(
            "CREATE ROLE {USER} LOGIN REPLICATION CREATEDB PASSWORD '{PASSWORD}'\n\
             CREATE DATABASE {DATABASE} OWNER {USER}\n"
        );
        let postgres = programs.join("postgres");
        let mut single = account.command(&postgres);
        single
            .args(["--single", "-F", "-D"])
            .arg(&data)
            .arg("postgres");
        run_with(&mut single, sql.as_bytes())?;
        let append = "echo \"include '../stack.conf'\" >> \"$1/postgresql.conf\"; \
            printf 'host %s all 127.0.0.1/32 scram-sha-256\\n' all replication > \"$1/pg_hba.conf\"";
        run(account
            .command(Path::new("sh"))
            .args(["-c", append, "sh"])
            .arg(&data))?;
        Ok(())
    })
}
