//! The files as they lie on a machine.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
};

use super::{Failure, said, write};
use crate::{Outcome, workspace};

/// Where each file of `packaging/` goes, and its mode.
const FILES: [(&str, &str, u32); 5] = [
    (
        "systemd/tidewater.service",
        "lib/systemd/system/tidewater.service",
        0o644,
    ),
    (
        "systemd/sysusers.conf",
        "usr/lib/sysusers.d/tidewater.conf",
        0o644,
    ),
    (
        "debian/tidewater.properties",
        "etc/tidewater/tidewater.properties",
        0o644,
    ),
    ("debian/default", "etc/default/tidewater", 0o644),
    (
        "debian/copyright",
        "usr/share/doc/tidewater/copyright",
        0o644,
    ),
];

/// The commands that have a manual page of their own.
const PAGES: [&str; 4] = ["worker", "check", "read", "health"];

/// Makes the tree anew.
pub(super) fn make(tree: &Path, binary: &Path, version: &str) -> Outcome {
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    folder(tree)?;
    let packaging = workspace::root()?.join("packaging");
    for (from, to, mode) in FILES {
        let text = fs::read(packaging.join(from)).map_err(|e| format!("{from}: {e}"))?;
        write(&tree.join(to), &text, mode)?;
    }
    program(tree, binary)?;
    words(tree, binary)?;
    let changes = format!(
        "tidewater ({version}) unstable; urgency=medium\n\n  * See the project's history.\n\n -- {}  {}\n",
        super::control::maintainer(),
        date()?,
    );
    let changelog = tree.join("usr/share/doc/tidewater/changelog.gz");
    write(&changelog, &zipped(changes.as_bytes())?, 0o644)
}

/// A folder as a package has it, whatever the user's umask is.
pub(super) fn folder(path: &Path) -> Outcome {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        folder(above)?;
    }
    fs::DirBuilder::new().mode(0o755).create(path)?;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o755),
    )?)
}

fn program(tree: &Path, binary: &Path) -> Outcome {
    let to = tree.join("usr/bin/tidewater");
    folder(&tree.join("usr/bin"))?;
    let mut strip = Command::new("strip");
    strip.args(["--strip-unneeded", "--remove-section=.comment", "-o"]);
    said(strip.arg(&to).arg(binary))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}

/// Manual pages and completions, which the program itself prints.
fn words(tree: &Path, binary: &Path) -> Outcome {
    let says = |words: &[&str]| said(Command::new(binary).args(words));
    let pages = tree.join("usr/share/man/man1");
    let page = says(&["man"])?;
    write(
        &pages.join("tidewater.1.gz"),
        &zipped(page.as_bytes())?,
        0o644,
    )?;
    for name in PAGES {
        let page = zipped(says(&["man", name])?.as_bytes())?;
        write(&pages.join(format!("tidewater-{name}.1.gz")), &page, 0o644)?;
    }
    let bash = tree.join("usr/share/bash-completion/completions/tidewater");
    write(&bash, says(&["completions", "bash"])?.as_bytes(), 0o644)?;
    let zsh = tree.join("usr/share/zsh/vendor-completions/_tidewater");
    write(&zsh, says(&["completions", "zsh"])?.as_bytes(), 0o644)
}

/// The time of the last commit, so that the same source gives the same package.
fn date() -> Result<String, Failure> {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%cD"])
        .current_dir(workspace::root()?);
    let date = said(&mut git)?.trim().to_owned();
    // Debian wants two digits of the day.
    Ok(match date.split_once(", ") {
        Some((day, rest)) if rest.as_bytes().get(1) == Some(&b' ') => format!("{day}, 0{rest}"),
        _ => date,
    })
}

fn zipped(text: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "--no-name"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = gzip.stdin.take().ok_or("gzip reads nothing")?;
    // Small texts: a pipe holds all that comes out meanwhile.
    input.write_all(text)?;
    drop(input);
    let output = gzip.wait_with_output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err("gzip failed".into())
    }
}
