//! Debian packages unpacked into a folder, whose programs run under the C library unpacked beside them.
//!
//! So a server of a newer Debian runs on an older one, without root rights and without touching the machine.

use std::{
    fs,
    io::Read,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::apt::Apt;
use crate::{Error, Result, cache, error::While, run::run};

/// Documentation, and what nobody here calls.
const LEFT_OUT: [&str; 12] = [
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/locale",
    "./usr/share/lintian",
    "./usr/share/bug",
    "./usr/share/perl5",
    "./var",
    "./lib/systemd",
    "./usr/lib/systemd",
    "*/gconv",
    "*/bitcode",
    "*/llvmjit*.so",
];

/// The packages to unpack.
pub(crate) struct Packages {
    /// The folder's name in the cache.
    pub name: &'static str,
    /// The Debian suite.
    pub suite: &'static str,
    /// The packages; the libraries they need come along.
    pub packages: &'static [&'static str],
    /// Packages without what they need, because most of it serves parts that nobody here uses.
    pub alone: &'static [&'static str],
    /// Links that the packages' own scripts would make: where, and to what beside it.
    pub links: &'static [(&'static str, &'static str)],
}

impl Packages {
    /// The folder of the unpacked packages, after it is there.
    pub(crate) fn install(&self) -> Result<PathBuf> {
        self.install_with(|_| Ok(()))
    }

    /// The same, with programs that `add` puts there, which come from elsewhere.
    pub(crate) fn install_with(&self, add: impl Fn(&Path) -> Result<()>) -> Result<PathBuf> {
        cache::install(self.name, |root, place| {
            let debs = Apt::download(self.suite, self.packages, self.alone)?;
            merge_usr(root)?;
            debs.iter().try_for_each(|deb| unpack(deb, root))?;
            add(root)?;
            for (link, target) in self.links {
                symlink(target, root.join(link))?;
            }
            relink(root, root, place)?;
            wrap_all(root, place)
        })
    }
}

/// Programs of the prefix call their own loader by absolute path; a moved prefix would not start.
pub(crate) fn bin(prefix: &Path) -> PathBuf {
    prefix.join("usr/bin")
}

fn merge_usr(root: &Path) -> Result<()> {
    for name in ["lib", "bin", "sbin", "lib64"] {
        cache::create(&root.join("usr").join(name))?;
        symlink(format!("usr/{name}"), root.join(name))?;
    }
    Ok(())
}

fn unpack(deb: &Path, root: &Path) -> Result<()> {
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .while_(|| "cannot start dpkg-deb".into())?;
    let Some(tar) = archive.stdout.take() else {
        return Err(Error::new("dpkg-deb has no output"));
    };
    let excludes = LEFT_OUT
        .iter()
        .map(|pattern| format!("--exclude={pattern}"));
    let status = Command::new("tar")
        .args(["-x", "--no-same-owner", "--keep-directory-symlink", "-C"])
        .arg(root)
        .args(excludes)
        .stdin(tar)
        .status()?;
    if archive.wait()?.success() && status.success() {
        return Ok(());
    }
    Err(Error::new(format!(
        "cannot unpack {}: delete it and try again",
        deb.display()
    )))
}

/// Points absolute links at the prefix where it has their target.
fn relink(folder: &Path, root: &Path, place: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.symlink_metadata()?.file_type();
        if kind.is_dir() {
            relink(&path, root, place)?;
        } else if kind.is_symlink()
            && let Ok(inside) = fs::read_link(&path)?.strip_prefix("/")
            && root.join(inside).symlink_metadata().is_ok()
        {
            fs::remove_file(&path)?;
            symlink(place.join(inside), &path)?;
        }
    }
    Ok(())
}

fn wrap_all(root: &Path, place: &Path) -> Result<()> {
    let loader = Loader::find(root, place)?;
    let mut folders = vec![root.join("usr/bin"), root.join("usr/sbin")];
    for parent in ["usr/lib/postgresql", "usr/lib/jvm"] {
        let Ok(versions) = fs::read_dir(root.join(parent)) else {
            continue;
        };
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    for folder in folders
        .iter()
        .filter(|folder| folder.is_dir() && !folder.is_symlink())
    {
        for entry in fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()? {
            let path = entry.path();
            if !path.is_symlink() && path.is_file() && is_elf(&path)? {
                loader.wrap(&path, root, place)?;
            }
        }
    }
    Ok(())
}

/// The dynamic loader of the prefix.
struct Loader {
    path: PathBuf,
    libraries: String,
}

impl Loader {
    fn find(root: &Path, place: &Path) -> Result<Self> {
        let (triplet, name) = match std::env::consts::ARCH {
            "x86_64" => ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
            "aarch64" => ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
            other => return Err(Error::new(format!("no packages for {other}"))),
        };
        let libraries = PathBuf::from("usr/lib").join(triplet);
        let path = libraries.join(name);
        if !root.join(&path).exists() {
            return Err(Error::new(format!("the packages hold no {name}")));
        }
        let libraries = place.join(libraries).to_string_lossy().into_owned();
        Ok(Self {
            path: place.join(path),
            libraries,
        })
    }

    /// Moves the program to `.elf/` and puts a script in its place that runs it under the loader. `$0` stays the
    /// program's name: `redis-server` is a link to `redis-check-rdb` and looks at it.
    fn wrap(&self, program: &Path, root: &Path, place: &Path) -> Result<()> {
        let (Some(folder), Some(name)) = (program.parent(), program.file_name()) else {
            return Ok(());
        };
        let hidden = folder.join(".elf");
        cache::create(&hidden)?;
        fs::rename(program, hidden.join(name))?;
        let inside = |path: &Path| place.join(path.strip_prefix(root).unwrap_or(path));
        let own = inside(folder).with_file_name("lib");
        let script = format!(
            "#!/bin/sh\nexec '{}' --library-path '{}:{}' --argv0 \"$0\" '{}' \"$@\"\n",
            self.path.display(),
            self.libraries,
            own.display(),
            inside(&hidden.join(name)).display(),
        );
        fs::write(program, script)?;
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

fn is_elf(path: &Path) -> Result<bool> {
    let mut magic = [0; 4];
    let read = fs::File::open(path)?.read(&mut magic)?;
    Ok(read == 4 && magic == *b"\x7fELF")
}

/// The path of a program that the machine has, else the one of the package `name` of bookworm.
pub(crate) fn program(name: &'static str) -> Result<PathBuf> {
    if let Some(path) = crate::run::on_path(name) {
        return Ok(path);
    }
    let packages: &'static [&'static str] = match name {
        "kcat" => &["kcat"],
        "openssl" => &["openssl"],
        other => {
            return Err(Error::new(format!(
                "{other} is missing: apt-get install {other}"
            )));
        }
    };
    let prefix = Packages {
        name,
        suite: "bookworm",
        packages,
        alone: &[],
        links: &[],
    }
    .install()?;
    let path = bin(&prefix).join(name);
    run(Command::new("test").arg("-x").arg(&path))?;
    Ok(path)
}
