//! What `dpkg` knows of the package: `control`, checksums, and the scripts that run around installing it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Failure, said};
use crate::{Outcome, workspace};

/// Who answers for the package: whoever makes it, as Debian's own tools are told.
pub(super) fn maintainer() -> String {
    let told = |name, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let name = told("DEBFULLNAME", "The Tidewater authors");
    format!("{name} <{}>", told("DEBEMAIL", "tidewater@localhost"))
}

/// Files that an administrator changes and an upgrade must not overwrite.
const CONFFILES: &str = "/etc/tidewater/tidewater.properties\n/etc/default/tidewater\n";

/// Debian's packages of the libraries that the program may need.
const LIBRARIES: [(&str, &str); 1] = [("libgcc_s.so.1", "libgcc-s1")];

/// Writes `DEBIAN/` of a tree that is whole.
pub(super) fn write(tree: &Path, version: &str, architecture: &str) -> Outcome {
    let files = files(tree, Path::new(""))?;
    let folder = tree.join("DEBIAN");
    let mut sums = Command::new("md5sum");
    sums.args(files.iter().filter(|file| !file.starts_with("etc")))
        .current_dir(tree);
    let sums = said(&mut sums)?;
    let mut kib = 0;
    for file in &files {
        kib += fs::metadata(tree.join(file))?.len().div_ceil(1024);
    }
    let depends = depends(&tree.join("usr/bin/tidewater"))?;
    let maintainer = maintainer();
    let control = format!(
        "Package: tidewater\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: {maintainer}\n\
         Installed-Size: {kib}\nDepends: {depends}\nRecommends: ca-certificates\nSection: database\nPriority: optional\n\
         Description: change data capture with Kafka Connect's REST API\n \
         Tidewater captures every committed change of PostgreSQL, MySQL and MariaDB\n \
         databases and keeps Redis, Elasticsearch and OpenSearch in step with it. It\n \
         takes configurations of Debezium and Kafka Connect. Topics are Kafka's, or\n \
         those of an embedded durable log.\n"
    );
    super::write(&folder.join("control"), control.as_bytes(), 0o644)?;
    super::write(&folder.join("md5sums"), sums.as_bytes(), 0o644)?;
    super::write(&folder.join("conffiles"), CONFFILES.as_bytes(), 0o644)?;
    let packaging = workspace::root()?.join("packaging/debian");
    for script in ["postinst", "prerm", "postrm"] {
        let text = fs::read(packaging.join(script))?;
        super::write(&folder.join(script), &text, 0o755)?;
    }
    Ok(())
}

/// The files below a folder of the tree, relative to the tree, in order.
fn files(tree: &Path, below: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(tree.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => found.extend(files(tree, &path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

/// What the program needs: the newest version of the C library that it names, other libraries, and who makes its account.
fn depends(program: &Path) -> Result<String, Failure> {
    let told = said(Command::new("objdump").arg("-p").arg(program))?;
    let newest = told
        .split_whitespace()
        .filter_map(|word| version_of(word.strip_prefix("GLIBC_")?))
        .max();
    let (major, minor) = newest.ok_or("the program names no C library")?;
    let mut all = vec![format!("libc6 (>= {major}.{minor})")];
    let needed = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("NEEDED"));
    for library in needed.map(str::trim) {
        match LIBRARIES.iter().find(|(name, _)| *name == library) {
            Some((_, package)) => all.push((*package).to_owned()),
            None if is_of_libc(library) => {}
            None => return Err(format!("{library}: name its package in LIBRARIES").into()),
        }
    }
    all.dedup();
    all.push("systemd | systemd-standalone-sysusers | systemd-sysusers".to_owned());
    Ok(all.join(", "))
}

fn is_of_libc(library: &str) -> bool {
    [
        "libc.",
        "libm.",
        "libdl.",
        "libpthread.",
        "librt.",
        "ld-linux",
    ]
    .iter()
    .any(|start| library.starts_with(start))
}

/// `2.34`, or `2.2.5` without its last part.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(version_of("2.2.5"), Some((2, 2)));
        assert!(version_of("2.34") > version_of("2.4"));
        assert_eq!(version_of("PRIVATE"), None);
    }
}
