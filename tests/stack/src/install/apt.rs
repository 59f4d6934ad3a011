//! A private apt for one Debian suite: its own sources, lists and (empty) package status.
//!
//! It resolves and downloads packages with their signatures checked, without root rights and without touching the
//! machine's own packages. The archive and the network settings are those of the machine's apt.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, cache, run::run};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const FOLDERS: [&str; 4] = [
    "etc",
    "state/lists/partial",
    "cache/archives/partial",
    "log",
];

/// The apt of one suite.
pub(crate) struct Apt {
    suite: &'static str,
    folder: PathBuf,
}

impl Apt {
    /// Sets the apt up; reads the package lists on the first use, and anew when `fresh`.
    fn open(suite: &'static str, fresh: bool) -> Result<Self> {
        let folder = cache::cache()?.join("apt").join(suite);
        let apt = Self { suite, folder };
        if fresh || !apt.folder.join("ready").exists() {
            apt.set_up()?;
            run(apt.command("apt-get").args(["-qq", "update"]))?;
            File::create(apt.folder.join("ready"))?;
        }
        Ok(apt)
    }

    /// Downloads the packages and the libraries they need into `debs` of the cache; returns the files.
    ///
    /// Nothing comes along with those of `alone`. A moving suite replaces its files: a failed download reads the lists again
    /// and tries once more.
    pub(crate) fn download(
        suite: &'static str,
        packages: &[&str],
        alone: &[&str],
    ) -> Result<Vec<PathBuf>> {
        let _lock = cache::lock("apt")?;
        let fetch = |fresh| Self::open(suite, fresh)?.fetch(packages, alone);
        fetch(false).or_else(|_| fetch(true)).map_err(|error| {
            Error::new(format!(
                "cannot download {packages:?} of Debian {suite}: {error}"
            ))
        })
    }

    fn fetch(&self, packages: &[&str], alone: &[&str]) -> Result<Vec<PathBuf>> {
        let mut wanted = self.resolve(packages)?;
        wanted.extend(alone.iter().map(|name| (*name).to_owned()));
        let debs = cache::cache()?.join("debs");
        cache::create(&debs)?;
        run(self
            .command("apt-get")
            .args(["-qq", "download"])
            .args(&wanted)
            .current_dir(&debs))?;
        let uris = run(self
            .command("apt-get")
            .args(["download", "--print-uris"])
            .args(&wanted))?;
        // 'http://…' name_version_arch.deb size hash
        Ok(uris
            .lines()
            .filter_map(|line| Some(debs.join(line.split(' ').nth(1)?)))
            .collect())
    }

    /// `name=version` of the packages and, of what they need, the libraries.
    fn resolve(&self, packages: &[&str]) -> Result<Vec<String>> {
        let plan = run(self
            .command("apt-get")
            .args(["-s", "-y", "--no-install-recommends", "install"])
            .args(packages))?;
        Ok(plan
            .lines()
            .filter_map(|line| planned(line, packages))
            .collect())
    }

    fn set_up(&self) -> Result<()> {
        cache::remove(&self.folder)?;
        for name in FOLDERS {
            cache::create(&self.folder.join(name))?;
        }
        File::create(self.folder.join("state/status"))?;
        fs::write(self.folder.join("etc/sources.list"), self.sources()?)?;
        fs::write(self.folder.join("apt.conf"), self.configuration()?)?;
        Ok(())
    }

    fn sources(&self) -> Result<String> {
        if !Path::new(KEYRING).exists() {
            return Err(Error::new(
                "the keys of the Debian archive are missing: apt-get install debian-archive-keyring",
            ));
        }
        let archives = machine_archives()?;
        let line =
            |uri: &str, suite: &str| format!("deb [signed-by={KEYRING}] {uri} {suite} main\n");
        let mut text = line(&archives.main, self.suite);
        if let Some(security) = archives.security.filter(|_| self.suite != "sid") {
            text += &line(&security, &format!("{}-security", self.suite));
        }
        Ok(text)
    }

    fn configuration(&self) -> Result<String> {
        let machine = run(Command::new("apt-config").args(["dump", "Acquire"]))?;
        let mut text: String = machine
            .lines()
            .filter(|line| !line.contains("Acquire::IndexTargets"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let folder = self.folder.display();
        for (name, path) in [
            ("State", "/state"),
            ("State::status", "/state/status"),
            ("Cache", "/cache"),
            ("Log", "/log"),
            ("Etc", "/etc"),
            ("Etc::sourcelist", "/etc/sources.list"),
        ] {
            text += &format!("Dir::{name} \"{folder}{path}\";\n");
        }
        for name in ["sourceparts", "parts", "preferences", "preferencesparts"] {
            text += &format!("Dir::Etc::{name} \"/dev/null\";\n");
        }
        text += "Dir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\n\
            APT::Sandbox::User \"root\";\nAPT::Install-Recommends \"false\";\n\
            Acquire::Languages \"none\";\nAcquire::GzipIndexes \"true\";\nAcquire::Retries \"3\";\n";
        Ok(text)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.folder.join("apt.conf"))
            .env("LC_ALL", "C");
        command
    }
}

struct Archives {
    main: String,
    security: Option<String>,
}

/// The Debian archives that the machine's own sources name, known before its first `apt-get update` too.
fn machine_archives() -> Result<Archives> {
    if crate::run::on_path("apt-get").is_none() {
        return Err(Error::new(
            "servers are installed from Debian packages and this machine has no apt-get: name running servers by \
             TIDEWATER_POSTGRES_URL, TIDEWATER_MYSQL_URL, TIDEWATER_REDIS_URL, TIDEWATER_KAFKA_BOOTSTRAP and TIDEWATER_SEARCH_URL",
        ));
    }
    let format = "$(REPO_URI) $(RELEASE)";
    let listed = run(Command::new("apt-get")
        .args([
            "indextargets",
            "--no-release-info",
            "--format",
            format,
            "Created-By: Packages",
        ])
        .env_remove("APT_CONFIG"))?;
    let rows: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let of = |suite: &dyn Fn(&str) -> bool| {
        rows.iter()
            .find(|(_, release)| suite(release))
            .map(|(uri, _)| (*uri).to_owned())
    };
    let codename = codename();
    let main = env::var("TIDEWATER_DEBIAN_MIRROR")
        .ok()
        .or_else(|| of(&|suite| suite == codename));
    let side = |suite: &str| {
        ["security", "updates", "backports"]
            .iter()
            .any(|word| suite.contains(word))
    };
    Ok(Archives {
        main: main.or_else(|| of(&|suite| !side(suite))).ok_or_else(|| {
            Error::new("apt's sources name no Debian archive: set TIDEWATER_DEBIAN_MIRROR")
        })?,
        security: of(&|suite| suite.ends_with("-security")),
    })
}

fn codename() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    line.unwrap_or("bookworm").trim_matches('"').to_owned()
}

/// `name=version` of a line `Inst name (version …)` of apt's plan when the package is worth unpacking.
fn planned(line: &str, wanted: &[&str]) -> Option<String> {
    let mut words = line.strip_prefix("Inst ")?.split(' ');
    let name = words.next()?;
    let version = words
        .find_map(|word| word.strip_prefix('('))?
        .trim_end_matches(')');
    let useless = [
        "libllvm",
        "libz3-",
        "libc-bin",
        "libpam-",
        "libsystemd-shared",
        "libdebconf",
        "perl",
    ];
    let library = name.starts_with("lib") && !useless.iter().any(|word| name.contains(word));
    (library || wanted.contains(&name)).then(|| format!("{name}={version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_wanted_and_the_libraries() {
        let of = |line| planned(line, &["redis-server"]);
        let redis = "Inst redis-server (5:7.0.15-1 Debian:12.1/oldstable [amd64]) []";
        assert_eq!(of(redis).unwrap(), "redis-server=5:7.0.15-1");
        assert_eq!(
            of("Inst libc6 (2.36-9 Debian:12 [amd64])").unwrap(),
            "libc6=2.36-9"
        );
        assert_eq!(of("Inst perl-base (5.36 Debian:12 [amd64])"), None);
        assert_eq!(of("Inst libllvm14 (1:14 Debian:12 [amd64])"), None);
        assert_eq!(of("Conf libc6 (2.36-9 Debian:12 [amd64])"), None);
    }
}
