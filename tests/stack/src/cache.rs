//! The folder that keeps downloads, unpacked programs and logs between runs.
//!
//! `$TIDEWATER_CACHE`, else `$XDG_CACHE_HOME/tidewater`, else `~/.cache/tidewater`; `/var/cache/tidewater` for root
//! when the servers' user cannot enter the former. Deleting it is always safe while nothing runs.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{Result, account::Account, error::While};

/// The cache folder; it exists after `Ok`.
pub fn cache() -> Result<&'static Path> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found);
    }
    let named = wanted();
    create(&named)?;
    let path = if Account::of_servers().enters(&named) {
        named
    } else {
        PathBuf::from("/var/cache/tidewater")
    };
    create(&path)?;
    Ok(FOUND.get_or_init(|| path))
}

/// Creates a folder and its parents, or says which one could not be.
pub(crate) fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).while_(|| {
        format!(
            "cannot create {} (TIDEWATER_CACHE names another place)",
            folder.display()
        )
    })
}

/// Waits until no other process holds the lock `name`; held until the result is dropped.
pub(crate) fn lock(name: &str) -> Result<File> {
    let folder = cache()?.join("locks");
    create(&folder)?;
    let path = folder.join(name);
    let file = File::create(&path).while_(|| format!("cannot create {}", path.display()))?;
    file.lock()
        .while_(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// A folder of the cache that holds what `build` put there. A changed recipe needs a new `name`.
///
/// Built once, under a lock, in a folder beside it that is moved into place when whole. `build` gets the folder to
/// fill and the path it will have in the end.
pub(crate) fn install(
    name: &str,
    build: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<PathBuf> {
    let place = cache()?.join("programs").join(name);
    if place.is_dir() {
        return Ok(place);
    }
    let _lock = lock(&format!("install-{name}"))?;
    if place.is_dir() {
        return Ok(place);
    }
    eprintln!("stack: installing {name}");
    let fresh = cache()?.join("unfinished").join(name);
    remove(&fresh)?;
    create(&fresh)?;
    build(&fresh, &place)?;
    create(&cache()?.join("programs"))?;
    fs::rename(&fresh, &place).while_(|| format!("cannot move {name} into place"))?;
    Ok(place)
}

/// Whether a program is in the cache.
pub fn is_installed(name: &str) -> bool {
    cache().is_ok_and(|cache| cache.join("programs").join(name).is_dir())
}

/// Deletes a folder that may be absent.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).while_(|| format!("cannot delete {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn wanted() -> PathBuf {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("TIDEWATER_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("tidewater")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/tidewater")))
        .unwrap_or_else(|| PathBuf::from("/var/cache/tidewater"))
}
