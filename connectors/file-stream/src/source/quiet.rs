//! Waiting for files that have been quiet for a while: one thread looks after all of them, so that a task whose file does not
//! change costs nothing.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

/// How often it looks: as often as Kafka's connector reads.
const LOOK: Duration = Duration::from_secs(1);

/// After so long a task looks itself.
const LONGEST: Duration = Duration::from_secs(60);

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing, or nothing that can be looked at.
    Nothing,
    /// A file: which one, its length, and when it was changed in seconds and nanoseconds.
    File([u64; 3], [i64; 2]),
    /// Something whose content does not show from outside, such as a pipe.
    Other,
}

struct Waiting {
    path: String,
    seen: Seen,
    wake: oneshot::Sender<()>,
}

static WAITING: Mutex<Vec<Waiting>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();

impl Seen {
    /// Looks.
    pub(super) fn at(path: &str) -> Self {
        match fs::metadata(path) {
            Ok(about) if about.is_file() => Self::File(
                [about.dev(), about.ino(), about.len()],
                [about.mtime(), about.mtime_nsec()],
            ),
            Ok(_) => Self::Other,
            Err(_) => Self::Nothing,
        }
    }
}

/// Waits until there is something else at a path than was seen. Can be dropped.
pub(super) async fn changed(path: &str, seen: Seen) {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if !STARTED.swap(true, Ordering::AcqRel) {
        let thread = thread::Builder::new().name("quiet-files".to_owned());
        if thread.spawn(look_for_ever).is_err() {
            // The next who waits tries again; until then everybody looks by themselves.
            STARTED.store(false, Ordering::Release);
        }
    }
    let (wake, woken) = oneshot::channel();
    let waiting = Waiting {
        path: path.to_owned(),
        seen,
        wake,
    };
    lock().push(waiting);
    MORE.notify_one();
    // In vain when there is no thread: then it is looked now and then.
    let _ = tokio::time::timeout(LONGEST, woken).await;
}

fn look_for_ever() {
    loop {
        drop(MORE.wait_while(lock(), |all| all.is_empty()));
        look();
        // Those who come meanwhile have just looked themselves.
        drop(MORE.wait_timeout_while(lock(), LOOK, |_| true));
    }
}

/// Wakes those whose file has changed, and forgets those who wait no more. Nobody has to wait for it: it looks without the lock.
fn look() {
    let looked = std::mem::take(&mut *lock());
    let mut left: Vec<Waiting> = Vec::with_capacity(looked.len());
    for waiting in looked {
        if waiting.wake.is_closed() {
            continue;
        }
        let now = Seen::at(&waiting.path);
        if now == waiting.seen && now != Seen::Other {
            left.push(waiting);
        } else {
            // It may have gone meanwhile.
            let _ = waiting.wake.send(());
        }
    }
    lock().append(&mut left);
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Waiting>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_changes_is_seen_and_what_is_dropped_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f").display().to_string();
        let dropped = tokio::spawn({
            let path = path.clone();
            async move { changed(&path, Seen::Nothing).await }
        });
        dropped.abort();
        let waits = tokio::spawn({
            let path = path.clone();
            async move { changed(&path, Seen::Nothing).await }
        });
        fs::write(&path, "a\n").unwrap();
        waits.await.unwrap();
        let seen = Seen::at(&path);
        assert_ne!(seen, Seen::Nothing);
        fs::write(&path, "a\nb\n").unwrap();
        changed(&path, seen).await;
        // Gone and another one.
        let seen = Seen::at(&path);
        fs::remove_file(&path).unwrap();
        changed(&path, seen).await;
        while !lock().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
