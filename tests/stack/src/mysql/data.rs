//! The data folder of a new server: made once for each version, then copied.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    SUPERUSER,
    settings::TEMPORARY,
    version::{MysqlVersion, Programs},
};
use crate::{
    Error, Result,
    account::Account,
    cache,
    postgres::{DATABASE, PASSWORD, USER},
    run::{run, run_with},
    tls::certificates,
};

/// Copies the prepared data folder and the certificates.
pub(super) fn create(programs: &Programs, version: MysqlVersion, folder: &Path) -> Result<()> {
    let template = template(programs, version)?;
    let account = Account::of_servers();
    // Most of the files is nothing.
    run(account
        .command(Path::new("cp"))
        .args(["-r", "--sparse=always"])
        .arg(template.join("data"))
        .arg(folder.join("data")))?;
    run(account
        .command(Path::new("mkdir"))
        .arg(folder.join(TEMPORARY)))?;
    certify(folder, &account)
}

/// Adds the certificates, and hides data and key from others.
fn certify(folder: &Path, account: &Account) -> Result<()> {
    let (from, to) = (certificates()?, folder.join("tls"));
    run(account.command(Path::new("mkdir")).arg(&to))?;
    let files = ["ca.pem", "server.pem", "server.key"].map(|name| from.join(name));
    run(account.command(Path::new("cp")).args(files).arg(&to))?;
    let private = [folder.join("data"), to.join("server.key")];
    run(account
        .command(Path::new("chmod"))
        .args(["-R", "go-rwx"])
        .args(private))?;
    Ok(())
}

fn template(programs: &Programs, version: MysqlVersion) -> Result<PathBuf> {
    cache::install(&format!("{}-data", version.kind()), |folder, _| {
        let account = Account::of_servers();
        account.own(folder)?;
        let data = folder.join("data");
        run(account.command(Path::new("mkdir")).arg(&data))?;
        match version.is_mariadb() {
            true => bootstrap(programs, &account, &data),
            false => initialize(programs, &account, folder, &data),
        }
    })
}

fn server(programs: &Programs, account: &Account, data: &Path) -> Result<Command> {
    let mut server = account.command(&programs.server());
    server.args(["--no-defaults", "--innodb-flush-method=nosync"]);
    for (name, path) in programs.places(data)? {
        server.arg(format!("--{name}={}", path.display()));
    }
    Ok(server)
}

/// What the role needs to follow the binlog, take snapshots with a lock, and own the database.
fn users(more: &str) -> String {
    format!(
        "CREATE USER IF NOT EXISTS '{SUPERUSER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON *.* TO '{SUPERUSER}'@'%' WITH GRANT OPTION;\n\
         CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT SELECT, RELOAD, LOCK TABLES, PROCESS, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT{more} ON *.* TO '{USER}'@'%';\n\
         CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;\n\
         GRANT ALL ON {DATABASE}.* TO '{USER}'@'%';\n"
    )
}

/// MySQL.
fn initialize(programs: &Programs, account: &Account, folder: &Path, data: &Path) -> Result<()> {
    let init = folder.join("init.sql");
    let root = format!("ALTER USER '{SUPERUSER}'@'localhost' IDENTIFIED BY '{PASSWORD}';\n");
    fs::write(&init, root + &users(", BACKUP_ADMIN, FLUSH_TABLES"))?;
    let mut command = server(programs, account, data)?;
    command
        .args([
            "--innodb-redo-log-capacity=8M",
            "--auto-generate-certs=OFF",
            "--secure-file-priv=",
            "--initialize-insecure",
        ])
        .arg(format!("--init-file={}", init.display()));
    run(&mut command)?;
    // Every server made of it gets a UUID of its own.
    run(account
        .command(Path::new("rm"))
        .arg("-f")
        .arg(data.join("auto.cnf")))?;
    Ok(())
}

/// MariaDB, fed with the package's own SQL. Each statement must end with its line, and a second `FLUSH PRIVILEGES`
/// ends the server without a word.
fn bootstrap(programs: &Programs, account: &Account, data: &Path) -> Result<()> {
    let share = programs.share()?;
    let part = |name: &str| {
        let named = ["mariadb", "mysql"].map(|prefix| share.join(format!("{prefix}_{name}.sql")));
        fs::read(&named[0]).or_else(|_| fs::read(&named[1]))
    };
    let mut sql: Vec<u8> =
        b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n".into();
    for name in ["system_tables", "performance_tables", "system_tables_data"] {
        sql.extend(part(name)?);
    }
    sql.extend(fs::read(share.join("fill_help_tables.sql"))?);
    sql.extend(part("sys_schema")?);
    // The stock tables have users without a password.
    let own = format!(
        "DELETE FROM mysql.global_priv WHERE User='' OR (User='{SUPERUSER}' AND Host<>'localhost');\n\
         FLUSH PRIVILEGES;\nSET PASSWORD FOR '{SUPERUSER}'@'localhost' = PASSWORD('{PASSWORD}');\n{}",
        users("")
    );
    sql.extend(own.as_bytes());
    let mut command = server(programs, account, data)?;
    command.args([
        "--bootstrap",
        "--skip-networking",
        "--innodb-log-file-size=8M",
        "--enforce-storage-engine=",
        "--max-allowed-packet=16M",
        "--net-buffer-length=16K",
    ]);
    let told = run_with(&mut command, &sql)?;
    // It goes on after a failed statement.
    match told.lines().find(|line| line.starts_with("ERROR")) {
        Some(error) => Err(Error::new(error.to_owned())),
        None => Ok(()),
    }
}
