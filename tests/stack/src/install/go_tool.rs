//! Programs of Go modules, built by the machine's own toolchain.

use std::{path::PathBuf, process::Command};

use crate::{Error, Result, cache, run};

/// The program of `package@version` (`helm.sh/helm/v3/cmd/helm`). `name` is its folder's in the cache; what is changed needs a new one.
pub fn go_tool(name: &str, package: &str, version: &str) -> Result<PathBuf> {
    let folder = cache::install(name, |folder, _| {
        let go = run::on_path("go");
        let go = go.ok_or_else(|| Error::new("Go is missing: sudo apt-get install golang-go"))?;
        let mut command = Command::new(go);
        command.args(["install", "-ldflags=-s -w"]);
        command
            .arg(format!("{package}@{version}"))
            .env("GOBIN", folder);
        run::run(&mut command).map(drop)
    })?;
    let program = package.rsplit('/').next().unwrap_or(package);
    Ok(folder.join(program))
}
