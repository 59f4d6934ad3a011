//! The Debian package, made and installed below a folder: nothing of the machine is touched.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use stack::binary;

use crate::{Outcome, machines, said};

/// What lintian says of packages that are not Debian's own: no bug that is closed by the first one.
const NOT_DEBIANS: &str = "initial-upload-closes-no-bugs";

fn package(folder: &Path) -> Outcome<PathBuf> {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["deb", "--level", "1", "--binary"]);
    xtask.arg(binary("tidewater")?).arg("--out").arg(folder);
    // Lintian knows domains that nobody can have.
    let told = said(xtask.env("DEBEMAIL", "packages@tidewater.dev"))?;
    Ok(PathBuf::from(told.trim()))
}

/// A folder in which `dpkg` installs as if it were the machine.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Outcome<Self> {
        let root = tempfile::tempdir()?;
        for folder in ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"] {
            fs::create_dir_all(root.path().join(folder))?;
        }
        fs::write(root.path().join("var/lib/dpkg/status"), "")?;
        Ok(Self(root))
    }

    /// Scripts of the package run outside of the folder, with `DPKG_ROOT`; it has none of the packages that are needed.
    fn dpkg(&self, words: &[&str]) -> Outcome {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.0.path().display()))
            .args(["--force-depends", "--force-script-chrootless"])
            .args(["--force-not-root", "--force-confdef", "--force-confold"])
            .arg("--log=/dev/null")
            .args(words)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        said(&mut dpkg)?;
        Ok(())
    }

    fn path(&self, of: &str) -> PathBuf {
        self.0.path().join(of)
    }

    fn mode(&self, of: &str) -> Outcome<u32> {
        Ok(fs::metadata(self.path(of))?.permissions().mode() & 0o7777)
    }
}

#[test]
fn it_is_installed_upgraded_removed_and_purged() -> Outcome {
    let (Some(_), Some(_)) = (machines("dpkg-deb"), machines("systemd-sysusers")) else {
        return Ok(());
    };
    if said(Command::new("id").arg("-u"))?.trim() != "0" {
        println!("not checked: only root can give files to the account of the package");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let package = package(folder.path())?.display().to_string();
    let root = Root::new()?;
    root.dpkg(&["--install", &package])?;

    let version = said(Command::new(root.path("usr/bin/tidewater")).arg("--version"))?;
    assert!(version.starts_with("tidewater "), "{version}");
    let accounts = fs::read_to_string(root.path("etc/passwd"))?;
    let account = accounts.lines().find(|line| line.starts_with("tidewater:"));
    let account: Vec<&str> = account.ok_or("no account")?.split(':').collect();
    assert_ne!(account[2], "0");
    assert!(account[6].ends_with("nologin"), "{account:?}");
    assert_eq!(root.mode("etc/tidewater/tidewater.properties")?, 0o640);
    assert_eq!(root.mode("etc/tidewater")?, 0o750);
    assert!(root.path("lib/systemd/system/tidewater.service").is_file());
    assert!(
        root.path("usr/share/man/man1/tidewater-worker.1.gz")
            .is_file()
    );

    let properties = root.path("etc/tidewater/tidewater.properties");
    fs::write(&properties, "listeners=http://127.0.0.1:1\n")?;
    fs::create_dir_all(root.path("var/lib/tidewater"))?;
    root.dpkg(&["--install", &package])?;
    let kept = fs::read_to_string(&properties)?;
    assert_eq!(
        kept, "listeners=http://127.0.0.1:1\n",
        "an upgrade keeps it"
    );

    root.dpkg(&["--remove", "tidewater"])?;
    assert!(!root.path("usr/bin/tidewater").exists());
    assert!(properties.is_file() && root.path("var/lib/tidewater").is_dir());
    root.dpkg(&["--purge", "tidewater"])?;
    assert!(!properties.exists() && !root.path("var/lib/tidewater").exists());
    Ok(())
}

#[test]
fn lintian_finds_nothing() -> Outcome {
    let (Some(lintian), Some(_)) = (machines("lintian"), machines("dpkg-deb")) else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let package = package(folder.path())?;
    let mut lint = Command::new(lintian);
    lint.args(["--fail-on=error,warning", "--allow-root"])
        .arg(format!("--suppress-tags={NOT_DEBIANS}"));
    said(lint.arg(package))?;
    Ok(())
}
