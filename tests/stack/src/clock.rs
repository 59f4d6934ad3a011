//! A wall clock that a test moves, for a program of its own: by libfaketime, which is loaded before the C library.

use std::{ffi::OsString, fs, path::PathBuf};

use crate::{Error, Result, Stack, error::While, install::prefix::Packages};

/// A clock. It goes as the machine's does, until it is moved; clocks that only measure durations stay as they are.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// A clock that is right.
    pub fn new(stack: &Stack) -> Result<Self> {
        let prefix = Packages {
            name: "libfaketime",
            suite: "bookworm",
            packages: &["libfaketime"],
            alone: &[],
            links: &[],
        }
        .install()?;
        let folder = stack.home().create(&stack.name("clock"))?;
        let clock = Self {
            library: library(&prefix.join("usr/lib"))?,
            file: folder.join("now"),
        };
        clock.jump(0)?;
        Ok(clock)
    }

    /// What a program needs in its environment to go by this clock.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let set = |name: &str, value: OsString| (name.to_owned(), value);
        vec![
            set("LD_PRELOAD", self.library.clone().into()),
            set("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            // Looks at the file once a second, not at each call.
            set("FAKETIME_CACHE_DURATION", "1".into()),
            set("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            set("DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }

    /// Sets it so many seconds before (negative) or after the machine's, within a second.
    pub fn jump(&self, seconds: i64) -> Result<()> {
        // A whole file or none: it may be read right now.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{seconds:+}\n")).while_(|| "a clock's file".into())?;
        Ok(fs::rename(&next, &self.file)?)
    }
}

/// For programs with threads, wherever the machine's kind puts it.
fn library(folder: &std::path::Path) -> Result<PathBuf> {
    let kinds = fs::read_dir(folder)?.flatten();
    let mut paths = kinds.map(|kind| kind.path().join("faketime/libfaketimeMT.so.1"));
    paths
        .find(|path| path.is_file())
        .ok_or_else(|| Error::new("libfaketime has another place in its package now"))
}
