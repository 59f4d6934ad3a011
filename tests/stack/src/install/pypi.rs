//! Python packages by the machine's own pip, in a folder that any Python reads (`PYTHONPATH`).

use std::{path::PathBuf, process::Command};

use crate::{Error, Result, cache, run};

/// The folder of the packages and all they need. `name` is the folder's in the cache.
pub fn python_packages(name: &str, packages: &[&str]) -> Result<PathBuf> {
    cache::install(name, |folder, _| {
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
            "--target",
        ];
        let mut command = python()?;
        command.args(pip).arg(folder).args(packages);
        run::run(&mut command).map(drop)
    })
}

/// The machine's Python.
pub fn python() -> Result<Command> {
    let found = run::on_path("python3");
    let found = found
        .ok_or_else(|| Error::new("Python is missing: sudo apt-get install python3 python3-pip"))?;
    Ok(Command::new(found))
}
