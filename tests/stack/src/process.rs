//! A process by its number and start time, so that a number used again is never taken for ours.

use std::{fmt, fs, path::PathBuf, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

/// Clock ticks a second in `/proc`: a constant of the Linux ABI on every platform with packages here.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;

/// One process of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    started: u64,
}

impl Process {
    /// The live process with this number.
    pub fn find(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            started: Stat::read(pid)?.started,
        })
    }

    /// What `to_string` wrote before; the process may be gone by now.
    pub fn parse(text: &str) -> Option<Self> {
        let (pid, started) = text.trim().split_once('-')?;
        Some(Self {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        })
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// False also for a zombie, once its last thread (which may hold ports) has ended.
    pub fn is_alive(&self) -> bool {
        self.stat().is_some_and(|stat| {
            !matches!(stat.state, 'Z' | 'X')
                || self
                    .folder("task")
                    .read_dir()
                    .is_ok_and(|threads| threads.count() > 1)
        })
    }

    /// CPU time of the process in seconds, user and system, all threads.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.stat()
            .map(|stat| stat.cpu_ticks as f64 / TICKS_PER_SECOND)
    }

    /// Resident memory in MiB.
    pub fn rss_mb(&self) -> Option<f64> {
        self.stat()
            .map(|stat| (stat.resident_pages * PAGE_BYTES) as f64 / f64::from(1 << 20))
    }

    /// The highest that resident memory has been, in MiB (`VmHWM`).
    pub fn peak_rss_mb(&self) -> Option<f64> {
        let status = fs::read_to_string(self.folder("status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// The processes it started that are still there, and theirs.
    pub(crate) fn descendants(&self) -> Vec<Self> {
        let mut all: Vec<Self> = self.children();
        let mut next = 0;
        while let Some(child) = all.get(next).copied() {
            all.extend(child.children());
            next += 1;
        }
        all
    }

    /// Sends a signal; nothing happens when the process is gone.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.stat().is_some()) {
            // Gone between the look and the signal: nothing is lost.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until the process is gone; false when it is still there after `limit`.
    pub fn wait_gone(&self, limit: Duration) -> bool {
        crate::wait_until("the end of a process", limit, || Ok(!self.is_alive())).is_ok()
    }

    /// Asks it to end (SIGINT, on which every server here ends in order), waits, and after half of `limit` kills it.
    /// False when it is still there after `limit`.
    pub fn end(&self, limit: Duration) -> bool {
        self.signal(Signal::INT);
        if self.wait_gone(limit / 2) {
            return true;
        }
        self.signal(Signal::KILL);
        self.wait_gone(limit / 2)
    }

    fn children(&self) -> Vec<Self> {
        let Ok(threads) = self.folder("task").read_dir() else {
            return Vec::new();
        };
        threads
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
            .flat_map(|list| {
                list.split(' ')
                    .filter_map(|pid| pid.parse().ok())
                    .collect::<Vec<u32>>()
            })
            .filter_map(Self::find)
            .collect()
    }

    fn stat(&self) -> Option<Stat> {
        Stat::read(self.pid).filter(|stat| stat.started == self.started)
    }

    fn folder(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.pid))
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.started)
    }
}

struct Stat {
    state: char,
    cpu_ticks: u64,
    started: u64,
    resident_pages: u64,
}

impl Stat {
    /// `proc(5)`: the fields after the name, which may itself contain spaces and brackets.
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            cpu_ticks: number(11)? + number(12)?,
            started: number(19)?,
            resident_pages: number(21)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_itself_and_not_a_namesake() {
        let me = Process::find(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(me.rss_mb().unwrap() > 0.5);
        assert_eq!(Process::parse(&me.to_string()), Some(me));
        let namesake = Process {
            started: me.started + 1,
            ..me
        };
        assert!(!namesake.is_alive());
    }
}
