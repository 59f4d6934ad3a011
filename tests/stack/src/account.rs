//! How a test started by root gives up its rights: PostgreSQL, OpenSearch and Elasticsearch refuse to run as root.

use std::{
    os::unix::fs::chown,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::{Result, error::While};

const NOBODY: u32 = 65534;

/// Who the servers run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The caller is not root: its own account.
    Own,
    /// Root, seen as user 1000 in a user namespace and without capabilities: it enters root's closed home.
    Namespace,
    /// Root where user namespaces are forbidden: user 65534, which needs open folders.
    Nobody,
}

impl Account {
    /// The best way this machine allows; found out once a process.
    pub(crate) fn of_servers() -> Self {
        static FOUND: OnceLock<Account> = OnceLock::new();
        *FOUND.get_or_init(|| {
            if !rustix::process::geteuid().is_root() {
                Self::Own
            } else if Self::Namespace.succeeds(&["true"]) {
                Self::Namespace
            } else {
                Self::Nobody
            }
        })
    }

    /// The words to put before a command line.
    pub(crate) fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Namespace => &[
                "unshare",
                "--user",
                "--map-user=1000",
                "--map-group=1000",
                "--",
            ],
            Self::Nobody => &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--",
            ],
        }
    }

    /// A command that runs `program` as this account.
    pub(crate) fn command(self, program: &Path) -> Command {
        match self.prefix() {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }

    /// Makes a folder the account's own, so that it can create files there.
    pub(crate) fn own(self, folder: &Path) -> Result<()> {
        if self == Self::Nobody {
            chown(folder, Some(NOBODY), Some(NOBODY))
                .while_(|| format!("cannot give {} to the servers' user", folder.display()))?;
        }
        Ok(())
    }

    /// Can the account enter this folder?
    pub(crate) fn enters(self, folder: &Path) -> bool {
        self != Self::Nobody || self.succeeds(&["test", "-x", &folder.to_string_lossy()])
    }

    fn succeeds(self, words: &[&str]) -> bool {
        let mut command = self.command(Path::new(words[0]));
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}
