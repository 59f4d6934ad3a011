//! A TCP proxy that breaks the network on command.

use std::{
    fmt,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{Result, error::While, port::Port};

const CHUNK: usize = 64 * 1024;

/// What becomes of the answer to something that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is forwarded.
    Arrives,
    /// It is not: when it comes, the connection is closed. The server has done what was asked for.
    Lost,
}

/// Forwards a port of 127.0.0.1 to a server until it is told otherwise. Ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    wire: Arc<Wire>,
}

impl Proxy {
    /// Listens on a free port and forwards every connection to `target`, as in `127.0.0.1:5432`.
    pub fn to(target: &str) -> Result<Self> {
        Self::at(Ipv4Addr::LOCALHOST, target)
    }

    /// The same on another address of this machine: one of a [`crate::Network`].
    pub fn at(address: Ipv4Addr, target: &str) -> Result<Self> {
        let port = Port::claim()?;
        let listener = TcpListener::bind((address, port.number()))
            .while_(|| format!("cannot listen on port {}", port.number()))?;
        let wire = Arc::new(Wire::default());
        wire.lock().target = target.to_owned();
        let shared = Arc::clone(&wire);
        thread::Builder::new()
            .name("stack-proxy".into())
            .spawn(move || accept(&listener, &shared))?;
        Ok(Self { port, wire })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Closes all connections; new ones are closed at once, until [`Proxy::heal`].
    pub fn cut(&self) {
        self.wire.set(Mode::Cut);
    }

    /// Closes all connections; new ones go to another server.
    pub fn lead_to(&self, target: &str) {
        self.wire.set(Mode::Cut);
        self.wire.lock().target = target.to_owned();
        self.wire.set(Mode::Open);
    }

    /// Closes all connections; new ones work.
    pub fn reset(&self) {
        self.wire.set(Mode::Cut);
        self.wire.set(Mode::Open);
    }

    /// Keeps connections open and forwards nothing, as a network that drops packets does, until [`Proxy::heal`].
    /// What was on its way arrives then.
    pub fn stall(&self) {
        self.wire.set(Mode::Stalled);
    }

    /// [`Proxy::stall`] once so many more bytes have gone through, both ways counted: a fault in the middle of what is
    /// being read. [`Proxy::is_stalled`] tells when.
    pub fn stall_after(&self, bytes: usize) {
        self.wire.lock().fuse = Some(bytes);
    }

    /// Shows what clients send, as it is read from them, before it is forwarded; and loses the answers that it says.
    pub fn judge(&self, judge: impl Fn(&[u8]) -> Fate + Send + Sync + 'static) {
        self.wire.lock().judge = Some(Judge(Arc::new(judge)));
    }

    /// Whether nothing is forwarded because of [`Proxy::stall`] or [`Proxy::stall_after`].
    pub fn is_stalled(&self) -> bool {
        self.wire.lock().mode == Mode::Stalled
    }

    /// Forwards again.
    pub fn heal(&self) {
        self.wire.set(Mode::Open);
    }

    /// How many connections it has accepted so far, the closed ones included.
    pub fn accepted(&self) -> usize {
        self.wire.lock().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wire.set(Mode::Ended);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()));
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Open,
    Stalled,
    Cut,
    Ended,
}

#[derive(Debug, Default)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

type Judging = dyn Fn(&[u8]) -> Fate + Send + Sync;

#[derive(Clone)]
struct Judge(Arc<Judging>);

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    /// Where connections go, as in `127.0.0.1:5432`.
    target: String,
    accepted: usize,
    /// How many bytes are forwarded before the wire stalls.
    fuse: Option<usize>,
    judge: Option<Judge>,
    /// Both ends of every connection, by its number.
    open: Vec<(usize, [TcpStream; 2])>,
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mode: Mode) {
        let mut state = self.lock();
        state.mode = mode;
        state.fuse = None;
        if matches!(mode, Mode::Cut | Mode::Ended) {
            for end in state.open.drain(..).flat_map(|(_, ends)| ends) {
                // Closed by its peer already: that is what is wanted.
                let _ = end.shutdown(Shutdown::Both);
            }
        }
        self.changed.notify_all();
    }

    /// Waits while the wire is stalled; what it is then.
    fn flowing(&self) -> Mode {
        let state = self.lock();
        let waited = self
            .changed
            .wait_while(state, |state| state.mode == Mode::Stalled);
        waited.unwrap_or_else(PoisonError::into_inner).mode
    }

    /// Burns the fuse down by what was forwarded.
    fn forwarded(&self, bytes: usize) {
        let mut state = self.lock();
        let Some(left) = state.fuse else { return };
        state.fuse = left.checked_sub(bytes).filter(|left| *left > 0);
        if state.fuse.is_none() && state.mode == Mode::Open {
            state.mode = Mode::Stalled;
        }
    }

    /// Whether the answer to this is to be lost.
    fn loses(&self, sent: &[u8]) -> bool {
        let judge = self.lock().judge.clone();
        judge.is_some_and(|Judge(judge)| judge(sent) == Fate::Lost)
    }

    /// Notes a connection's two ends so that a cut closes them; false when the wire is cut.
    fn admit(&self, number: usize, ends: [TcpStream; 2]) -> bool {
        let mut state = self.lock();
        let admitted = !matches!(state.mode, Mode::Cut | Mode::Ended);
        if admitted {
            state.open.push((number, ends));
        }
        admitted
    }

    fn forget(&self, number: usize) {
        self.lock().open.retain(|(each, _)| *each != number);
    }
}

fn accept(listener: &TcpListener, wire: &Arc<Wire>) {
    for client in listener.incoming().flatten() {
        let (mode, number) = {
            let mut state = wire.lock();
            state.accepted += 1;
            (state.mode, state.accepted)
        };
        match mode {
            Mode::Ended => return,
            Mode::Cut => drop(client),
            Mode::Open | Mode::Stalled => {
                let wire = Arc::clone(wire);
                // An error closes the connection: the client's to notice.
                thread::spawn(move || join(client, &wire, number));
            }
        }
    }
}

/// Forwards both ways until both directions have ended.
fn join(client: TcpStream, wire: &Arc<Wire>, number: usize) -> Result<()> {
    wire.flowing();
    let target = wire.lock().target.clone();
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    if wire.admit(number, [client.try_clone()?, server.try_clone()?]) {
        let (from, to, shared) = (server.try_clone()?, client.try_clone()?, Arc::clone(wire));
        let lost = Arc::new(AtomicBool::new(false));
        let loses = Arc::clone(&lost);
        let is_let_through = move |_: &[u8]| !loses.load(Ordering::Acquire);
        let back = thread::spawn(move || forward(from, to, &shared, is_let_through));
        forward(client, server, wire, |sent| {
            lost.fetch_or(wire.loses(sent), Ordering::AcqRel);
            true
        });
        // It has no result and does not panic.
        let _ = back.join();
        wire.forget(number);
    }
    Ok(())
}

/// Forwards one direction, and only what may be; its orderly end is passed on, anything else closes both ends.
fn forward(mut from: TcpStream, mut to: TcpStream, wire: &Wire, may: impl Fn(&[u8]) -> bool) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk);
        let open = wire.flowing() == Mode::Open;
        match read {
            Ok(0) if open => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(length)
                if open && may(&chunk[..length]) && to.write_all(&chunk[..length]).is_ok() =>
            {
                wire.forwarded(length);
            }
            _ => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || io::copy(&mut client.try_clone().unwrap(), &mut client));
            }
        });
        address
    }

    fn say(stream: &mut TcpStream, word: &[u8; 4]) -> io::Result<[u8; 4]> {
        stream.write_all(word)?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn forwards_stalls_and_cuts() {
        let proxy = Proxy::to(&echo()).unwrap();
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(&say(&mut stream, b"one.").unwrap(), b"one.");

        proxy.stall();
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        assert!(say(&mut stream, b"two.").is_err());
        proxy.heal();
        stream.set_read_timeout(None).unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"two.");

        proxy.cut();
        assert!(say(&mut stream, b"lost").is_err());
        let mut refused = TcpStream::connect(proxy.address()).unwrap();
        assert!(say(&mut refused, b"lost").is_err());

        proxy.heal();
        let mut fresh = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(&say(&mut fresh, b"back").unwrap(), b"back");
        assert_eq!(proxy.accepted(), 3);

        proxy.stall_after(16);
        assert_eq!(&say(&mut fresh, b"five").unwrap(), b"five");
        assert!(!proxy.is_stalled());
        fresh
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let more = [b"six.", b"ever"].map(|word| say(&mut fresh, word).is_ok());
        assert!(!more[1] && proxy.is_stalled());
    }

    #[test]
    fn loses_the_answers_that_it_is_told_to() {
        let proxy = Proxy::to(&echo()).unwrap();
        proxy.judge(|sent| match sent {
            b"lost" => Fate::Lost,
            _ => Fate::Arrives,
        });
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(&say(&mut stream, b"one.").unwrap(), b"one.");
        assert!(say(&mut stream, b"lost").is_err());
        let mut fresh = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(&say(&mut fresh, b"two.").unwrap(), b"two.");
    }
}
