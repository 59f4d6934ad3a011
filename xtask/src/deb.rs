//! `cargo xtask deb`: the Debian package, made by `dpkg-deb` from the program and the files of `packaging/`.

mod control;
mod tree;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, workspace};

/// What to pack, and where to put it.
struct Options {
    /// A program that is built already.
    binary: Option<PathBuf>,
    /// The folder of the package.
    out: PathBuf,
    /// From 1, quick and large, to 9.
    level: u32,
}

/// `[--binary FILE] [--out DIR] [--level 1..9]`: builds the program in release, packs it, and prints the package's path.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let options = Options::read(arguments)?;
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    let version = workspace::version()?;
    let architecture = said(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let name = format!("tidewater_{version}_{architecture}");
    let tree = options.out.join(&name);
    tree::make(&tree, &binary, &version)?;
    control::write(&tree, &version, architecture)?;
    let package = options.out.join(format!("{name}.deb"));
    let mut pack = Command::new("dpkg-deb");
    pack.args(["--root-owner-group", "-Zxz"]);
    pack.arg(format!("-z{}", options.level)).arg("--build");
    said(pack.arg(&tree).arg(&package))?;
    std::fs::remove_dir_all(&tree)?;
    println!("{}", package.display());
    Ok(())
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            binary: None,
            out: workspace::target()?.join("debian"),
            level: 6,
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().map(PathBuf::from);
            match (name.as_str(), value) {
                ("--binary", Some(path)) => options.binary = Some(path),
                ("--out", Some(path)) => options.out = path,
                ("--level", Some(level)) => options.level = level.display().to_string().parse()?,
                _ => {
                    let usage = "deb [--binary FILE] [--out DIR] [--level 1..9]";
                    return Err(format!("{name}: {usage}").into());
                }
            }
        }
        Ok(options)
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn build() -> Result<PathBuf, Failure> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--release", "--locked", "--package", "tidewater"]);
    // One library less that has to be there.
    cargo.env("LIBZ_SYS_STATIC", "1");
    if !cargo.status()?.success() {
        return Err("the program was not built".into());
    }
    Ok(workspace::target()?.join("release/tidewater"))
}

/// Standard output of a program that ends well.
fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {why}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes a file, and the folders above it.
fn write(path: &Path, text: &[u8], mode: u32) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        tree::folder(folder)?;
    }
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(mode),
    )?)
}
