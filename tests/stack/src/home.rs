//! The folder in which a stack keeps its servers' data.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{Process, Result, account::Account, cache};

const NAME: &str = "tidewater-stack-";
const LOGS_KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// A folder for data, deleted when dropped, and one for logs, which stays some days.
#[derive(Debug)]
pub(crate) struct Home {
    data: PathBuf,
    logs: PathBuf,
    detached: bool,
}

impl Home {
    /// A new folder under the system's folder for temporary files. Folders that killed processes left are deleted.
    pub(crate) fn temporary() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let me = Process::find(process::id())
            .map(|me| me.to_string())
            .unwrap_or_default();
        let name = format!("{NAME}{me}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        sweep();
        let logs = cache::cache()?.join("logs").join(&name);
        Self {
            data: env::temp_dir().join(name),
            logs,
            detached: false,
        }
        .created()
    }

    /// A lasting folder, whose servers outlive this process.
    pub(crate) fn lasting(folder: &Path) -> Result<Self> {
        Self {
            data: folder.to_path_buf(),
            logs: folder.join("logs"),
            detached: true,
        }
        .created()
    }

    pub(crate) fn outlives_us(&self) -> bool {
        self.detached
    }

    pub(crate) fn folder(&self, server: &str) -> PathBuf {
        self.data.join(server)
    }

    pub(crate) fn log(&self, server: &str) -> PathBuf {
        self.logs.join(format!("{server}.log"))
    }

    /// An empty folder for a server, which the servers' account owns.
    pub(crate) fn create(&self, server: &str) -> Result<PathBuf> {
        let folder = self.folder(server);
        cache::remove(&folder)?;
        cache::create(&folder)?;
        Account::of_servers().own(&folder)?;
        Ok(folder)
    }

    fn created(self) -> Result<Self> {
        cache::create(&self.data)?;
        cache::create(&self.logs)?;
        Ok(self)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !self.detached {
            // What cannot be deleted now, the next stack's sweep deletes.
            let _ = fs::remove_dir_all(&self.data);
            // Only an empty folder goes: logs stay.
            let _ = fs::remove_dir(&self.logs);
        }
    }
}

/// Deletes what ended processes left: data at once, logs after three days.
fn sweep() {
    for path in
        entries(&env::temp_dir()).filter(|path| owner(path).is_some_and(|it| !it.is_alive()))
    {
        let _ = fs::remove_dir_all(path);
    }
    let Ok(cache) = cache::cache() else { return };
    let old = |path: &PathBuf| {
        let changed = path.metadata().and_then(|data| data.modified());
        changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LOGS_KEPT))
    };
    for path in entries(&cache.join("logs")).filter(old) {
        let _ = fs::remove_dir_all(path);
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// The process whose stack made this folder.
fn owner(path: &Path) -> Option<Process> {
    let name = path.file_name()?.to_str()?.strip_prefix(NAME)?;
    Process::parse(name.rsplit_once('-')?.0)
}
