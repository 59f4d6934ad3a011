//! A network of several hosts on this machine, each in a network namespace of its own, which can be cut.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU8, Ordering},
};

use crate::{Error, Result, run::run};

/// The program that makes networks (package iproute2).
pub(crate) const IP: &str = "/usr/sbin/ip";
/// Names of what is made begin with this; a process's number follows.
const NAME: &str = "tw";

/// A bridge with hosts. Gone when dropped; what a killed process has left is removed by the next one.
#[derive(Debug)]
pub struct Network {
    bridge: String,
    subnet: [u8; 3],
    hosts: AtomicU8,
}

/// One host.
#[derive(Debug)]
pub struct Host {
    space: String,
    link: String,
    address: Ipv4Addr,
}

impl Network {
    /// A new one. It takes root's rights.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        clear_leftovers();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let pid = process::id();
        let bridge = format!("{NAME}{pid}b{number}");
        // 10.128.0.0/9, cut into small ones.
        let low = (pid.wrapping_mul(7).wrapping_add(u32::from(number))) & 0x7fff;
        let subnet = [10, 128 | (low >> 8) as u8, low as u8];
        let network = Self {
            bridge,
            subnet,
            hosts: AtomicU8::new(0),
        };
        let bridge = &network.bridge;
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {}/24 dev {bridge}", network.address()))?;
        ip(&format!("link set {bridge} up"))?;
        Ok(network)
    }

    /// This machine's address in it.
    pub fn address(&self) -> Ipv4Addr {
        self.at(1)
    }

    fn at(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.subnet;
        Ipv4Addr::new(a, b, c, last)
    }

    /// A host more.
    pub fn host(&self) -> Result<Host> {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        let space = format!("{}h{number}", self.bridge);
        let (link, inner) = (space.replace('b', "x"), space.replace('b', "y"));
        let address = self.at(10 + number);
        ip(&format!("netns add {space}"))?;
        let host = Host {
            space,
            link,
            address,
        };
        let (space, link) = (&host.space, &host.link);
        ip(&format!("link add {link} type veth peer name {inner}"))?;
        ip(&format!("link set {inner} netns {space}"))?;
        ip(&format!("link set {link} master {} up", self.bridge))?;
        host.ip(&format!("addr add {address}/24 dev {inner}"))?;
        host.ip(&format!("link set {inner} up"))?;
        host.ip("link set lo up")?;
        Ok(host)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = ip(&format!("link del {}", self.bridge));
    }
}

impl Host {
    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Cuts it off from everybody: nothing comes and nothing goes, and nobody is told.
    pub fn cut(&self) -> Result<()> {
        ip(&format!("link set {} down", self.link))
    }

    /// Undoes [`Host::cut`].
    pub fn heal(&self) -> Result<()> {
        ip(&format!("link set {} up", self.link))
    }

    /// Lets nothing go from it to an address.
    pub fn block(&self, address: Ipv4Addr) -> Result<()> {
        self.ip(&format!("route add blackhole {address}/32"))
    }

    /// Undoes [`Host::block`].
    pub fn unblock(&self, address: Ipv4Addr) -> Result<()> {
        self.ip(&format!("route del blackhole {address}/32"))
    }

    /// What a program on it is run by.
    pub(crate) fn entry(&self) -> [&str; 3] {
        ["netns", "exec", &self.space]
    }

    fn ip(&self, words: &str) -> Result<()> {
        ip(&format!("-n {} {words}", self.space))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = ip(&format!("netns del {}", self.space));
    }
}

fn ip(words: &str) -> Result<()> {
    let outcome = run(Command::new(IP).args(words.split(' ')));
    outcome.map(drop).map_err(|error| {
        Error::new(format!(
            "ip {words}: {error} (it takes root's rights and the package iproute2)"
        ))
    })
}

/// Namespaces and bridges of processes that are no more.
fn clear_leftovers() {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| is_left(name))
            .collect()
    };
    for space in names("/run/netns") {
        let _ = ip(&format!("netns del {space}"));
    }
    for bridge in names("/sys/class/net") {
        let _ = ip(&format!("link del {bridge}"));
    }
}

fn is_left(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(NAME) else {
        return false;
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let (pid, kind) = rest.split_at(digits);
    !pid.is_empty() && kind.starts_with('b') && !Path::new("/proc").join(pid).exists()
}
