//! The workspace as Cargo and Git see it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or("run this by `cargo xtask`")?;
    Ok(Path::new(&manifest)
        .parent()
        .ok_or("xtask lies in no workspace")?
        .to_path_buf())
}

/// The folder for what is built.
pub(crate) fn target() -> Result<PathBuf> {
    Ok(PathBuf::from(text(&metadata()?["target_directory"])))
}

/// The version of the program.
pub(crate) fn version() -> Result<String> {
    let metadata = metadata()?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let program = packages.find(|package| package["name"] == "tidewater");
    Ok(text(
        &program.ok_or("there is no package tidewater")?["version"],
    ))
}

fn metadata() -> Result<Value> {
    let mut metadata = cargo()?;
    metadata.args(["metadata", "--format-version=1", "--no-deps"]);
    Ok(serde_json::from_slice(&output(&mut metadata)?)?)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The Cargo that runs this command, in the workspace's folder.
pub(crate) fn cargo() -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()?);
    Ok(command)
}

/// The files Git tracks or would track, relative to the root.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(root()?);
    let listed = String::from_utf8(output(&mut git)?)?;
    Ok(listed.split_terminator('\0').map(PathBuf::from).collect())
}

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its manifest, relative to the root.
    pub(crate) folder: PathBuf,
    /// Dependencies that are built into it: neither dev- nor build-dependencies.
    pub(crate) dependencies: Vec<String>,
}

/// The crates of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let metadata = metadata()?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    let root = root()?;
    Ok(packages
        .iter()
        .map(|package| read(package, &root))
        .collect())
}

fn read(package: &Value, root: &Path) -> Package {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let folder = manifest.parent().unwrap_or(&manifest);
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    Package {
        name: text(&package["name"]),
        folder: folder.strip_prefix(root).unwrap_or(folder).to_path_buf(),
        dependencies: dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
