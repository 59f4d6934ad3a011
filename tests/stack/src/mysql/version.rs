//! Which MySQL or MariaDB, and where its programs are.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::generic;
use crate::{Error, Result, install::prefix::Packages};

/// Which MySQL or MariaDB. They share the protocol, the client and most settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MysqlVersion {
    /// MySQL 8.0: `SHOW MASTER STATUS`, `mysql_native_password`, no tagged GTIDs. A large download.
    V80,
    /// MySQL 9.7: `caching_sha2_password` only, tagged GTIDs, vectors.
    V97,
    /// MariaDB 10.11: `mysql_native_password`.
    Mariadb1011,
    /// MariaDB 11.8: vectors, UUID.
    Mariadb118,
}

impl MysqlVersion {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::V80, Self::V97, Self::Mariadb1011, Self::Mariadb118];

    /// Whether it is MariaDB, whose binlog, GTIDs and some statements are others.
    pub fn is_mariadb(self) -> bool {
        matches!(self, Self::Mariadb1011 | Self::Mariadb118)
    }

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::V80 => "mysql80",
            Self::V97 => "mysql",
            Self::Mariadb1011 => "mariadb",
            Self::Mariadb118 => "mariadb118",
        }
    }

    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::V80 => "TIDEWATER_MYSQL80_URL",
            Self::V97 => "TIDEWATER_MYSQL_URL",
            Self::Mariadb1011 => "TIDEWATER_MARIADB_URL",
            Self::Mariadb118 => "TIDEWATER_MARIADB118_URL",
        }
    }

    fn packages(self) -> Packages {
        let suite = match self {
            Self::V80 | Self::Mariadb1011 => "bookworm",
            Self::V97 | Self::Mariadb118 => "sid",
        };
        let packages: &'static [_] = match self {
            Self::V80 => generic::LIBRARIES,
            Self::V97 => &["mysql-server-core", "mysql-client-core"],
            Self::Mariadb1011 | Self::Mariadb118 => &[
                "mariadb-server-core",
                "mariadb-server",
                "mariadb-client-core",
                "mariadb-client",
            ],
        };
        Packages {
            name: self.kind(),
            suite,
            packages,
            alone: &[],
            links: &[],
        }
    }

    /// Its programs, installed if needed.
    pub(super) fn install(self) -> Result<Programs> {
        Ok(Programs {
            version: self,
            prefix: match self {
                Self::V80 => self.packages().install_with(generic::add)?,
                _ => self.packages().install()?,
            },
        })
    }
}

impl fmt::Display for MysqlVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V80 => "8.0",
            Self::V97 => "9.7",
            Self::Mariadb1011 => "10.11",
            Self::Mariadb118 => "11.8",
        })
    }
}

/// An unpacked server.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    version: MysqlVersion,
    prefix: PathBuf,
}

impl Programs {
    pub(super) fn server(&self) -> PathBuf {
        let name = match self.version.is_mariadb() {
            true => "mariadbd",
            false => "mysqld",
        };
        self.prefix.join("usr/sbin").join(name)
    }

    /// A client program by MySQL's name for it. MariaDB has dropped those names.
    pub(super) fn client(&self, name: &str) -> PathBuf {
        let own = match (self.version.is_mariadb(), name) {
            (true, "mysql") => "mariadb".to_owned(),
            (true, name) => name.replace("mysql", "mariadb-"),
            (false, name) => name.to_owned(),
        };
        self.prefix.join("usr/bin").join(own)
    }

    /// The folder of messages, charsets and SQL. MariaDB 11 moved it.
    pub(super) fn share(&self) -> Result<PathBuf> {
        let share = self.prefix.join("usr/share");
        ["mariadb", "mysql"]
            .map(|name| share.join(name))
            .into_iter()
            .find(|folder| folder.join("charsets").is_dir())
            .ok_or_else(|| Error::new(format!("no charsets in {}", share.display())))
    }

    /// Where its parts are: `(option, path)`.
    pub(super) fn places(&self, data: &Path) -> Result<[(&'static str, PathBuf); 5]> {
        let share = self.share()?;
        Ok([
            ("basedir", self.prefix.join("usr")),
            ("datadir", data.to_path_buf()),
            ("character-sets-dir", share.join("charsets")),
            ("lc-messages-dir", share),
            ("plugin-dir", self.prefix.join("usr/lib/mysql/plugin")),
        ])
    }
}
