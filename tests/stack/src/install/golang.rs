//! Programs in Go, built by the machine's own toolchain with modules of its proxy.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, cache, error::While, run};

/// The program whose `go.mod`, `go.sum` and `main.go` lie in `source`. `name` is its own in the cache; what is changed needs a new one.
pub fn go_program(name: &str, source: &Path) -> Result<PathBuf> {
    let folder = cache::install(name, |folder, _| {
        let go = run::on_path("go");
        let go = go.ok_or_else(|| Error::new("Go is missing: sudo apt-get install golang-go"))?;
        for file in ["go.mod", "go.sum", "main.go"] {
            let from = source.join(file);
            let what = || format!("cannot copy {}", from.display());
            fs::copy(&from, folder.join(file)).while_(what)?;
        }
        let build = ["build", "-trimpath", "-o", "program", "."];
        run::run(Command::new(go).args(build).current_dir(folder)).map(drop)
    })?;
    Ok(folder.join("program"))
}
